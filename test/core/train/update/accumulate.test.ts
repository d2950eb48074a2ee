import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import type { Backend, HostArray } from "../../../../core/interfaces/mod.ts";
import { largestError } from "../../../helpers/close.ts";
import { beginAll, lossesOn, stageOf, statesOf, tinyRun, tinyTrainer } from "../support.ts";

const test = suite("core/train (gradients gathered in parts)");

/** A class-conditional run of few updates, with everything that draws: GAN, penalty, three steps. */
const over = (accumulate: number, more: object = {}) => ({
  dataset: { use: "sides" },
  generator: { sigmas: [5, 1, 0.2] },
  losses: { "gan-discriminator": { r1: 1 } },
  optimizers: { generator: { clip: 0.05 }, critic: { clip: 0.05 } },
  method: { teacher: { steps: 2, batch: 6 } },
  train: { steps: 4, batch: 6, accumulate },
  ...more,
});

/** Weights and losses at the end of a run. */
async function outcome(settings: object, backend?: Backend) {
  const { run } = await tinyRun(settings, backend ? { backend } : {});
  const losses = lossesOn(run.bus);
  await run.start();
  const states = Object.entries(await statesOf(run)).filter(([name]) => !/gradient|readings/.test(name));
  const read = await losses();
  await run.dispose();
  return { states: Object.fromEntries(states), losses: read };
}

function closeTo(a: Awaited<ReturnType<typeof outcome>>, b: typeof a, tolerance: number): void {
  assert.equal(Object.keys(a.losses).sort(), Object.keys(b.losses).sort());
  for (const [name, values] of Object.entries(a.losses))
    assert.ok(largestError(values, b.losses[name]) < tolerance, `${name}: ${values} ${b.losses[name]}`);
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

/** A generator that is told a guidance scale of each image's own. */
const scaled = { network: { labelDropout: 0.1 }, generator: { sigmas: [5, 1], guidanceScale: 1, guidanceMax: 4 } };

for (const [what, more] of [
  ["images drawn anew for the critic", { method: { ...over(2).method, criticImages: "fresh" } }],
  ["a step drawn for the batch", { generator: { sigmas: [5, 1], drawStep: "batch" } }],
  ["numbers that images draw for themselves", scaled],
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

test("NaN that an earlier step left in kept images and gathered sums does not stay", async () => {
  const states = async (poison: boolean) => {
    const { trainer } = await tinyTrainer(over(2));
    await beginAll(trainer);
    const stage = stageOf(trainer, "distillation");
    await trainer.prepare(stage);
    const { memory } = trainer;
    const gathered = memory.names().filter((name) => /^generated\.x|gradient|readings/.test(name));
    if (poison)
      for (const name of gathered)
        memory.write(name, new Float32Array((await memory.read(name)).length).fill(Number.NaN));
    await trainer.train(stage);
    const found: Record<string, HostArray> = {};
    for (const name of memory.names()) found[name] = await memory.read(name);
    trainer.dispose();
    return { found, gathered };
  };
  const sound = await states(false);
  assert.equal(sound.gathered.sort(), [
    "critic.gradient.0",
    "critic.readings",
    "generated.x",
    "generator.gradient.0",
    "generator.readings",
  ]);
  assert.equal((await states(true)).found, sound.found);
});

test("parts must divide the batch of every stage that has steps", async () => {
  const refused = (more: object) => tinyRun(more).catch((reason) => reason);
  const error = await refused({ ...over(4), train: { batch: 8, accumulate: 4 } });
  assert.is(error.code, "E_OPTION");
  assert.is(
    error.message,
    'Cannot configure train: accumulate is 4, should divide the batch of stage "teacher", which is 6',
  );
  const other = await refused({ ...over(4), method: { teacher: { steps: 0 } } });
  assert.match(other.message, /divide the batch of stage "distillation", which is 6$/);
});

test.run();
