import * as assert from "uvu/assert";
import { program } from "../../core/graph/mod.ts";
import type { Backend, Footprint } from "../../core/interfaces/backend.ts";
import { add, input } from "../../core/ops/mod.ts";
import { type AdmStepSettings, admStep } from "./admStep.ts";

/**
 * Trains a U-Net for a step and compares the bytes that the device then holds with those foretold: the states, what the plan
 * says (rounded buffer by buffer), and what the device says it adds. Nothing is allocated while a program runs, so this is
 * the peak. Every convolution is counted by its variant. Resolves with the sizes in bytes.
 */
export async function checkFootprint(
  backend: Backend,
  options: object,
  settings: AdmStepSettings,
): Promise<{ plan: number } & Footprint> {
  const step = admStep(options, settings);
  const { plan } = step.program;
  const footprint = backend.footprint!(step.program);
  await runOnce(backend);
  const before = backend.liveBytes;
  let held = 0;
  await step.run(backend, () => {
    held = backend.liveBytes - before;
  });
  const states = plan.buffers.filter(({ kind }) => kind === "state");
  const stateBytes = states.reduce((sum, { elements }) => sum + elements * 4, 0);
  assert.is(held, stateBytes + footprint.planned + footprint.added, step.program.name);
  // Rounding costs less than a binding's alignment a buffer.
  assert.ok(footprint.planned >= plan.bytes);
  assert.ok(footprint.planned - plan.bytes < 256 * plan.buffers.length);
  const convolutions = plan.steps.filter((step) => step.kind === "kernel" && step.node.op.name === "conv2d");
  const counts = Object.values(footprint.variants!.conv2d);
  assert.is(
    counts.reduce((sum, count) => sum + count, 0),
    convolutions.length,
  );
  return { plan: plan.bytes, ...footprint };
}

/** What a device makes for itself when something first runs, such as a fence, is no part of any program. */
async function runOnce(backend: Backend): Promise<void> {
  const nothing = program({ name: "nothing", outputs: { x: add(input("x", [4]), 1) } });
  const executable = await backend.compile(nothing, backend.createMemory());
  await executable.run({ x: new Float32Array(4) });
  await backend.finish();
  executable.dispose();
}

/** A U-Net small enough for a software adapter. */
export const smallUnet = {
  channels: 8,
  channelMult: [1, 2],
  blocks: 1,
  attention: [4],
  channelsPerHead: 8,
};
/** As large as the bench U-Net. */
export const benchUnet = {
  channels: 32,
  channelMult: [1, 2],
  blocks: 2,
  attention: [8],
  channelsPerHead: 16,
};
