import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import type { OnestepError } from "../../../../core/errors.ts";
import { type Backend, DATA_SHAPE, LOSSES } from "../../../../core/interfaces/mod.ts";
import { mean, mul, square } from "../../../../core/ops/mod.ts";
import { Registry } from "../../../../core/plugin/mod.ts";
import { Run, resolveConfig, turnProgram } from "../../../../core/train/mod.ts";
import { allPlugins } from "../../../../plugins/all.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { beginAll, lossPlugin, stageOf, statesOf, tiny, tinyRun, tinyTrainer } from "../support.ts";

const test = suite("core/train/precision");

const half = { precision: { teacher: "f16", generator: "f16", critic: "f16" } };

test("networks are kept in f16; preconditioning, losses and all that is updated in f32", async () => {
  const { trainer, container } = await tinyTrainer({ train: half });
  const { players } = trainer;
  const { program } = turnProgram({
    turn: { role: "critic" },
    stage: stageOf(trainer, "distillation"),
    players,
    maker: "generator",
    losses: container.all(LOSSES),
    data: container.get(DATA_SHAPE),
    stream: 0,
  });
  const products = program.nodes.filter(({ op }) => op.name === "matmul");
  // Weight gradients go into the pack of the optimiser.
  const weightGradients = products.filter(({ storage }) => storage === "f32").length;
  const layers = players.critic.layout.entries.filter(({ shape }) => shape.length === 2);
  assert.ok(products.some(({ storage }) => storage === "f16"));
  assert.ok(weightGradients <= 2 * layers.length, `${weightGradients} products in f32`);
  const { arenas } = players.critic.layout;
  const overAll = program.plan.steps.filter((step) => step.kind === "elementwise" && step.shape[0] === arenas[0]);
  assert.is(overAll.length, 2, "the squares of the norm, and the update in one step");
  for (const [state, value] of program.updates) {
    assert.is(state.storage, "f32");
    assert.is(value.storage, "f32", `${state.attrs.name}`);
  }
});

test("a device without f16 says so in one line, and trains the same as in f32 but for rounding", async () => {
  const results: number[][] = [];
  for (const train of [{}, half]) {
    const backend = await WasmBackend.open({ threads: 1 });
    const { run, events } = await tinyRun({ train }, { backend });
    await run.start();
    const told = events.flatMap((e) => (e.type === "run/warning" ? [e.message] : []));
    const states = await statesOf(run);
    results.push(states["generator.weights.0"]);
    if (train === half) {
      assert.is(told.length, 1);
      assert.match(told[0], /^precision f16 of teacher, generator, critic: wasm \(.*\) stores f32$/);
    } else assert.is(told.length, 0);
    await run.dispose();
    await backend.close();
  }
  results[0].forEach((value, i) => {
    assert.ok(Math.abs(value - results[1][i]) < 1e-5);
  });
});

/** So steep that its gradient, once scaled, is too large for f16 and not for f32. */
const steep = lossPlugin("steep", "generator", ({ generated }) => mul(mean(square(generated.x)), 1e4));
const alone = (over: object = {}) =>
  resolveConfig(
    {
      ...tiny,
      optimizers: { ...tiny.optimizers, generator: { use: "adamw", lr: 1e-3 } },
      losses: { "edm-denoising": {}, steep: {}, "fake-score": {} },
      method: { use: "dmd2", ttur: { critic: 1 }, teacher: { steps: 0, batch: 3 } },
      train: { ...tiny.train, ...half, steps: 3, ...over },
    },
    new Registry().register([...allPlugins, steep]),
  );
/** Scale and whether the weights of the generator have moved, after every update. */
async function watch(resolved: ReturnType<typeof alone>, backend: Backend) {
  const run = await Run.create({ resolved, backend });
  const { trainer } = run;
  await beginAll(trainer);
  const weights = async () => [...(await trainer.memory.read("generator.weights.0"))];
  const seen: { scale: number; moved: boolean }[] = [];
  let before = await weights();
  run.bus.on("role/updated", async ({ role }) => {
    if (role !== "generator") return;
    const now = await weights();
    const moved = now.some((value, i) => value !== before[i]);
    const scale = trainer.memory.has("generator.loss-scale")
      ? (await trainer.memory.read("generator.loss-scale"))[0]
      : Number.NaN;
    seen.push({ scale, moved });
    before = now;
  });
  try {
    await trainer.train(stageOf(trainer, "distillation"));
  } finally {
    await run.bus.settled();
    await run.dispose();
  }
  return seen;
}

test("an overflow leaves the update out and halves the scale, until it fits", async () => {
  for (const accumulate of [1, 3]) {
    const seen = await watch(alone({ steps: 30, accumulate }), new ReferenceBackend());
    const first = seen.findIndex(({ moved }) => moved);
    assert.ok(first > 0 && first < 30, `first update is ${first}`);
    seen.forEach(({ scale, moved }, i) => {
      const before = seen[i - 1]?.scale ?? 2 ** 16;
      assert.is(scale, moved ? before : before / 2, `update ${i}`);
    });
  }
});

test("a scale given by hand stays; when it is too large the run is said to diverge", async () => {
  const seen = await watch(alone({ lossScale: 1 }), new ReferenceBackend());
  assert.ok(seen.every(({ moved }) => moved));
  const error = await watch(alone({ lossScale: 2 ** 30 }), new ReferenceBackend()).then(
    () => undefined,
    (fault) => fault as OnestepError,
  );
  assert.is(error?.code, "E_DIVERGED");
});

test("the scale is kept in checkpoints: a resumed run ends as one that was not stopped", async () => {
  const finish = async (stopAt?: number, files = memoryFiles(), existing?: "resume") => {
    const { run } = await tinyRun({ train: half }, { output: { files, path: "out", existing } });
    const stop = (role: string, step: number) => role === "critic" && step === stopAt && run.stop();
    run.bus.on("role/updated", ({ role, step }) => void stop(role, step));
    await run.start();
    const states = await statesOf(run);
    await run.dispose();
    return { files, states };
  };
  const whole = await finish();
  assert.equal(whole.states["critic.loss-scale"], [2 ** 16]);
  assert.equal(whole.states["critic.good-updates"], [8]);
  const { files } = await finish(4);
  assert.equal((await finish(undefined, files, "resume")).states, whole.states);
});

test.run();
