import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import type { Backend } from "../../../../core/interfaces/mod.ts";
import { largestError } from "../../../helpers/close.ts";
import { statesOf, tinyConfig, tinyRun } from "../support.ts";

const test = suite("core/train (gradients gathered in parts)");

/** A class-conditional run of few updates, with everything that draws: GAN, penalty, three steps. */
const over = (accumulate: number, more: object = {}) => ({
  dataset: { use: "sides" },
  generator: { sigmas: [5, 1, 0.2] },
  losses: { "gan-discriminator": { r1: 1 } },
  optimizers: { generator: { clip: 0.05 }, critic: { clip: 0.05 } },
  train: { steps: 4, batch: 6, teacher: { steps: 2, batch: 6 }, accumulate },
  ...more,
});

/** Weights and losses at the end of a run. */
async function outcome(settings: object, backend?: Backend) {
  const { run } = await tinyRun(settings, backend ? { backend } : {});
  const losses: Record<string, Promise<number>[]> = {};
  for (const phase of ["teacher", "generator", "critic"] as const)
    run.bus.on(`${phase}/updated`, ({ losses: scalars }) => {
      for (const [name, scalar] of Object.entries(scalars))
        losses[`${phase} ${name}`] = [...(losses[`${phase} ${name}`] ?? []), scalar.read()];
    });
  await run.start();
  const states = Object.entries(await statesOf(run)).filter(
    ([name]) => !/gradient|readings/.test(name),
  );
  const read: Record<string, number[]> = {};
  for (const [name, values] of Object.entries(losses)) read[name] = await Promise.all(values);
  await run.dispose();
  return { states: Object.fromEntries(states), losses: read };
}

function closeTo(a: Awaited<ReturnType<typeof outcome>>, b: typeof a, tolerance: number): void {
  assert.equal(Object.keys(a.losses).sort(), Object.keys(b.losses).sort());
  for (const [name, values] of Object.entries(a.losses))
    assert.ok(
      largestError(values, b.losses[name]) < tolerance,
      `${name}: ${values} ${b.losses[name]}`,
    );
  assert.equal(Object.keys(a.states).sort(), Object.keys(b.states).sort());
  for (const [name, values] of Object.entries(a.states)) {
    const error = largestError(values, b.states[name]);
    assert.ok(error < tolerance, `${name}: off by ${error}`);
  }
}

test("two or three parts give the update of the whole batch: same draws, same losses, same weights", async () => {
  const whole = await outcome(over(1));
  for (const parts of [2, 3]) closeTo(await outcome(over(parts)), whole, 1e-5);
});

for (const [what, more] of [
  ["images drawn anew for the critic", { train: { ...over(2).train, criticImages: "fresh" } }],
  ["a step drawn for the batch", { generator: { sigmas: [5, 1], drawStep: "batch" } }],
  ["real samples as inputs", { generator: { sigmas: [5, 1], inputs: "real" } }],
] as const)
  test(`parts are the whole batch with ${what}, too`, async () => {
    const settings = over(2, more);
    const single = { ...settings, train: { ...settings.train, accumulate: 1 } };
    closeTo(await outcome(settings), await outcome(single), 1e-5);
  });

test("on threads as on the oracle", async () => {
  const backend = await WasmBackend.open({ threads: 2 });
  closeTo(await outcome(over(3), backend), await outcome(over(1)), 1e-4);
  await backend.close();
});

test("parts must divide the batch", () => {
  assert.throws(
    () => tinyConfig({ train: { batch: 6, accumulate: 4 } }),
    /^Cannot configure train: accumulate is 4, should divide batch, which is 6$/,
  );
});

test.run();
