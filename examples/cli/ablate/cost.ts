/** What it took to train a row. */
import { files } from "../../../backends/host/files.ts";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { program } from "../../../core/graph/mod.ts";
import { type Backend, DATASET, type DataShape, NETWORK, type Network } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/parameters.ts";
import type { Registry } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { composeRun, planRun, type RunConfig, resolveConfig } from "../../../core/train/mod.ts";
import { logLines } from "../../../plugins/observers/logLines.ts";
import { operationsOfProgram } from "../profile/operations.ts";

/** Costs of a row besides those of the teacher. */
export interface Cost {
  /**
   * Multiplications and additions of all updates, in calls of the network on one sample: a forward pass is one call, and whatever
   * goes back through it counts by what it computes, about two more.
   */
  readonly passes: number;
  /** Time of all updates. */
  readonly minutes: number;
  /** The most that lives on the device at any time. */
  readonly bytes: number;
}

/** The stage that trains the teacher, which rows share. */
const TEACHING = "teacher";

/** Plans a run anew, which tells what it computes, and sums up its log. */
export async function costOf(
  config: RunConfig,
  events: string,
  data: string | undefined,
  registry: Registry,
  device: Backend,
): Promise<Cost> {
  const resolved = resolveConfig(config, registry);
  const container = await composeRun(resolved, device, { files, path: data });
  try {
    const { stages, peakBytes } = await planRun(container, resolved.settings, device);
    const perCall = operationsOfCall(container.get(NETWORK), container.get(DATASET).shape);
    const ours = stages.filter(({ stage }) => stage !== TEACHING);
    const operations = ours.flatMap(({ steps, updates }) =>
      updates.map(({ program, perStep }) => steps * perStep * operationsOfProgram(program)),
    );
    const passes = operations.reduce((sum, each) => sum + each, 0) / perCall;
    return { passes, minutes: await minutesIn(events), bytes: peakBytes };
  } finally {
    await container.dispose();
  }
}

/** Operations of the network on one sample. */
function operationsOfCall(network: Network, shape: DataShape): number {
  const { x, sigma, condition } = placeholders(shape);
  let output: Tensor | undefined;
  layoutOf((scope) => {
    output = network.apply(scope, x, sigma, condition);
  });
  return operationsOfProgram(program({ name: "call", outputs: { output: output! } }));
}

/** Of every step that was done, the last time where it was done more than once. */
async function minutesIn(events: string): Promise<number> {
  const taken = new Map<string, number>();
  for await (const event of logLines(files, events))
    if (event?.type === "step/end" && event.stage !== TEACHING)
      taken.set(`${event.stage} ${event.step}`, Number(event.ms));
  return [...taken.values()].reduce((sum, ms) => sum + ms, 0) / 60_000;
}
