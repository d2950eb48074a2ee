import { suite } from "uvu";
import * as assert from "uvu/assert";
import { moments } from "../../../helpers/moments.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { beginAll, lossesOn, stageOf, tinyRun, tinyTrainer } from "../support.ts";

const test = suite("core/train/trainer");

/** Trains the last stage, after all roles have been given their first weights. */
async function distilled(over: unknown = {}, start = 0) {
  const made = await tinyTrainer(over);
  await beginAll(made.trainer);
  const next = await made.trainer.train(stageOf(made.trainer, "distillation"), { start });
  return { ...made, next };
}

/** Each scalar of each update, read when it is told. */
async function losses(over: unknown): Promise<Record<string, number[]>> {
  const { trainer, bus } = await tinyTrainer(over);
  const read = lossesOn(bus);
  for (const stage of trainer.method.stages) {
    await trainer.begin(stage);
    await trainer.train(stage);
  }
  return read();
}

test("Trainer: generator updates = ⌈steps / ratio⌉, whatever the ratio", async () => {
  for (const [steps, ratio] of [
    [5, 1],
    [5, 2],
    [4, 5],
    [6, 5],
  ]) {
    const { trainer, events, next } = await distilled({
      method: { ttur: { critic: ratio } },
      train: { steps },
    });
    assert.is(next, steps);
    const { generator, critic } = trainer.players;
    assert.equal([generator.updates, critic.updates], [Math.ceil(steps / ratio), steps]);
    assert.is(events.filter(({ type }) => type === "step/end").length, steps);
  }
});

test("Trainer: turns of their own, and updates as the cycle says", async () => {
  for (const [ttur, generatorUpdates, criticUpdates] of [
    [{ critic: 4, generator: 1, exclusive: true }, 2, 6],
    [{ critic: 1, generator: 2 }, 8, 4],
  ] as const) {
    const { trainer } = await distilled({ method: { ttur } });
    const { generator, critic } = trainer.players;
    assert.equal([generator.updates, critic.updates], [generatorUpdates, criticUpdates]);
  }
});

test("Trainer: rates warm up with the schedule's steps, also those without an update of the role", async () => {
  const { trainer } = await tinyTrainer({
    optimizers: { generator: { warmup: 6, weightDecay: 0.5, lr: 0.1 } },
    losses: { "gan-generator": false, "gan-discriminator": false },
    averages: { generator: false },
    train: { steps: 1 },
  });
  const { generator } = trainer.players;
  await beginAll(trainer);
  const before = await generator.read("weights");
  await trainer.train(stageOf(trainer, "distillation"));
  assert.equal(await generator.read("weights"), before, "the first update has rate 0");
  const { decay } = generator.optimizer!.scalars({ update: 1, step: 3, steps: 8 });
  assert.ok(Math.abs(decay - 0.5 * 0.1 * (3 / 6)) < 1e-12);
});

test("Trainer: the critic can be shown new images of the generator's new weights", async () => {
  const critic = async (criticImages: string) => {
    const { trainer } = await distilled({ method: { criticImages }, train: { steps: 1 } });
    return trainer.players.critic.read("weights");
  };
  assert.not.equal(await critic("fresh"), await critic("shared"));
});

test("Trainer: several averages of a role, each by its own rule, one of them served", async () => {
  const { trainer } = await tinyTrainer({
    averages: {
      generator: { use: "ema", halfLife: 20 },
      "generator/none": { use: "ema", halfLife: 1e-9 },
      "generator/frozen": { use: "ema", halfLife: 1e9 },
    },
  });
  await beginAll(trainer);
  const { generator } = trainer.players;
  const start = await generator.read("weights");
  await trainer.train(stageOf(trainer, "distillation"));
  const [weights, served] = [await generator.read("weights"), await generator.read("served")];
  assert.not.equal(weights, start);
  assert.equal(await generator.read("average/none"), weights);
  const [name] = Object.keys(start);
  const moved = (tensors: typeof start) =>
    Math.hypot(...tensors[name].data.map((value, i) => value - start[name].data[i]));
  assert.ok(moved(await generator.read("average/frozen")) < 1e-3 * moved(weights));
  assert.ok(moved(served) > 0 && moved(served) < moved(weights));
});

test("Trainer: trains from a step on, with the same numbers as from the start", async () => {
  const constant = { optimizers: { critic: { decay: "none" } } };
  const all = await distilled();
  const two = await distilled({ ...constant, train: { steps: 5 } });
  const one = await distilled(constant);
  const { trainer: later } = await tinyTrainer(constant);
  for (const name of ["generator", "critic"]) {
    const from = two.trainer.players[name];
    later.players[name].writeAll(await from.readAll());
    later.players[name].updates = from.updates;
  }
  // The teacher was not saved: it starts from the seed in each of them.
  await later.begin(stageOf(later, "teacher"));
  assert.is(await later.train(stageOf(later, "distillation"), { start: 5 }), 8);
  for (const name of ["generator", "critic"])
    assert.equal(await later.players[name].readAll(), await one.trainer.players[name].readAll());
  assert.not.equal(
    await all.trainer.players.critic.readAll(),
    await one.trainer.players.critic.readAll(),
    "a decaying rate gives others",
  );
});

test("Trainer: distribution matching is exactly 0 while the critic is the teacher", async () => {
  // spec/dmd2.md §10, item 1
  const read = await losses({
    losses: { "gan-generator": false, "gan-discriminator": false },
    method: { ttur: { critic: 3 } },
    train: { steps: 4 },
  });
  const matching = read["generator distribution-matching"];
  assert.is(matching.length, 2);
  assert.is(matching[0], 0);
  assert.is(read["generator gradient-norm"][0], 0);
  assert.ok(matching[1] > 0, "the critic has moved");
});

test("Trainer: every loss and norm is told, and can be read", async () => {
  const read = await losses({});
  assert.equal(Object.keys(read).sort(), [
    "critic fake-score",
    "critic gan-discriminator",
    "critic gradient-norm",
    "critic weight-norm",
    "generator average-distance",
    "generator distribution-matching",
    "generator gan-generator",
    "generator gradient-norm",
    "generator weight-norm",
    "teacher average-distance",
    "teacher edm-denoising",
    "teacher gradient-norm",
    "teacher weight-norm",
  ]);
  assert.equal(
    Object.values(read)
      .map(({ length }) => length)
      .sort(),
    [3, 3, 3, 3, 3, 4, 4, 4, 4, 8, 8, 8, 8],
  );
  for (const [name, values] of Object.entries(read)) assert.ok(values.every(Number.isFinite), name);
});

test("setWeight: for losses in the graph, to zero and back", async () => {
  const { trainer } = await tinyTrainer({ losses: { "gan-discriminator": { weight: 0 } } });
  trainer.setWeight("gan-generator", 0);
  trainer.setWeight("gan-generator", 2);
  assert.equal([...trainer.changedWeights], [["gan-generator", 2]]);
  for (const name of ["gan-discriminator", "nothing"]) {
    const error = thrown(() => trainer.setWeight(name, 1));
    assert.is(error.code, "E_OPTION");
    assert.match(
      error.message,
      new RegExp(`^Cannot set the weight of loss "${name}": it is not one of edm-denoising, `),
    );
  }
});

test("prepare: finds what is wrong before the first step", async () => {
  const { trainer } = await tinyTrainer({ losses: { mine: { use: "pair" } } });
  await trainer.prepare(stageOf(trainer, "teacher"));
  const error = await trainer.prepare(stageOf(trainer, "distillation")).catch((fault) => fault);
  assert.is(error.code, "E_SHAPE");
});

test("Trainer: a one-step generator learns where the teacher's Gaussian is", async () => {
  const { run } = await tinyRun({
    dataset: { modes: 1, deviation: 0.3, sigmaData: 1 },
    teacher: { use: "gaussian-mixture", modes: 1, deviation: 0.3 },
    network: { width: 12 },
    losses: { "edm-denoising": false, "gan-generator": false, "gan-discriminator": false },
    optimizers: { generator: { lr: 0.01 }, critic: { lr: 0.02, decay: "none" } },
    averages: { generator: false },
    method: { ttur: { critic: 5 } },
    train: { steps: 260, batch: 24, evaluateCount: 200 },
  });
  const distance = async () => {
    const { x } = await run.draw("generator", 200);
    const mean = (axis: number) => moments(x.filter((_, i) => i % 2 === axis)).mean;
    return Math.hypot(mean(0) - 1, mean(1));
  };
  await beginAll(run.trainer);
  const before = await distance();
  await run.start();
  const after = await distance();
  assert.ok(before > 1, `starts ${before} away`);
  // Half a standard deviation of the mode: the generator still moves with the noise of small batches.
  assert.ok(after < 0.15, `ends ${after} away`);
});

test.run();
