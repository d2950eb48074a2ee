import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { constant, reshape } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import {
  frechetOfFeatures,
  heldTo,
  mixedMoments,
  momentsFrom,
  momentsOf,
  nextMoments,
  rootOf,
} from "../../../plugins/losses/shared/frechetLoss.ts";
import { frechetStage } from "../../../plugins/methods/frechet.ts";
import * as plugins from "../../../plugins/mod.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";
import { createdRun, finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods (Fréchet distance, last stage)");

const near = (actual: ArrayLike<number>, expected: ArrayLike<number>, within: number) => {
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(actual[i] - expected[i]) < within, `${actual[i]} should be ${expected[i]}`);
};

test("method and critic are well-formed plugins", () => {
  checkPlugin(plugins.lastStageMethod, { earlier: 0 });
  checkPlugin(plugins.featureMoments, { extractor: "a", tap: "b" });
});

test("running moments are those of the raw ones, as the reference cases have them", async () => {
  const feed = new Feed();
  const [before, now] = ["before", "now"].map((name, i) => feed.tensor(name, [5, 3], numbers([5, 3], i)));
  const none = { mean: constant(0, "f32", [3]), second: constant(0, "f32", [3, 3]) };
  // β 0 takes the first batch alone.
  const raw = nextMoments(nextMoments(none, before, 0), now, 0.7);
  const empty = { mean: constant(0, "f32", [3]), covariance: constant(0, "f32", [3, 3]) };
  const share = (value: number) => constant(value, "f32", [1]);
  const mixed = mixedMoments(mixedMoments(empty, before, share(1)), now, share(0.3));
  const a = await evaluate({ ...momentsFrom(raw) }, feed, "f64");
  const b = await evaluate({ ...mixed }, feed, "f64");
  near(b.mean, a.mean, 1e-6);
  near(b.covariance, a.covariance, 1e-6);
});

test("a root squared is the matrix, with eigenvalues of 0 among others", async () => {
  const feed = new Feed();
  const { covariance } = momentsOf(feed.tensor("f", [3, 4], numbers([3, 4])));
  const root = rootOf(covariance);
  const read = await evaluate({ covariance, root }, feed, "f64");
  for (let i = 0; i < 4; i++)
    for (let j = 0; j < 4; j++) {
      const square = [0, 1, 2, 3].reduce((sum, k) => sum + read.root[4 * i + k] * read.root[4 * k + j], 0);
      assert.ok(Math.abs(square - read.covariance[4 * i + j]) < 1e-4, `${square}`);
    }
});

/** Value and gradient of the loss for generated and real points whose features they are, with moments that are known. */
async function lossOf(generated: Float32Array, real: Float32Array, memory: number, known = 0) {
  const feed = new Feed();
  const n = generated.length / 2;
  const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
  const parts = [plugins.mlp({ width: 2, depth: 1 }), plugins.featureMoments(), plugins.frechet({ memory })];
  const [loss] = compose(shape, ...parts).all(LOSSES);
  const [x, y] = [feed.tensor("x", [n, 2], generated), feed.tensor("y", [n, 2], real)];
  const kept = (at: number) => ({
    mean: constant(at, "f32", [2]),
    covariance: reshape(constant(0.1, "f32", [4]), [2, 2]),
  });
  const value = loss.compute({
    generated: { x, condition: {} },
    real: { x: y, condition: {} },
    teacher: { features: (points: Tensor) => points },
    critic: { generated: kept(3), real: kept(-3), known: constant(known, "f32", [1]) },
  } as unknown as LossContext);
  const held = frechetOfFeatures(x, heldTo(momentsOf(y)));
  return evaluate({ value, held, dx: grad(value, [x])[0] }, feed, "f64");
}

test("without memory it is the Fréchet distance of the batches; what is known counts by its share", async () => {
  const [a, b] = [numbers([40]), numbers([40], 2)];
  const { value, held, dx } = await lossOf(a, b, 0);
  // Unbiased there, of n here.
  assert.ok(Math.abs(value[0] - held[0]) < 0.1 * held[0] + 0.01, `${value[0]} and ${held[0]}`);
  assert.ok(dx.some((each) => each !== 0));
  const same = await lossOf(a, a, 0);
  assert.ok(Math.abs(same.value[0]) < 1e-3, `${same.value[0]}`);
  // Nothing is known at first, whatever the memory; then the kept means, 6 apart in both dimensions, are nearly all that counts.
  assert.ok(Math.abs((await lossOf(a, b, 0.99)).value[0] / value[0] - 1) < 1e-4);
  assert.ok(Math.abs((await lossOf(a, b, 0.99, 1)).value[0] / 72 - 1) < 0.1);
});

test("the recipe: a stage of easy consistency, then the distance; it runs and resumes with its moments", async () => {
  const { config, losses } = resolvedRecipe(frechetStage);
  assert.is(config.method.use, "last-stage");
  assert.equal(losses.map(([name]) => name).sort(), [
    "easy-consistency",
    "edm-denoising",
    "feature-moments",
    "frechet",
  ]);
  const whole = await finished(frechetStage, {}, { teacher: 2, steps: 8 });
  assert.equal(whole.stages.slice(2), [...Array(4).fill("earlier"), ...Array(4).fill("distillation")]);
  const parts = await finished(frechetStage, {}, { teacher: 2, steps: 8 }, { stage: "distillation", step: 1 });
  assert.equal(parts.states, whole.states);
});

test("without an earlier stage the generator starts from its teacher or a file, and nobody learns by its losses", async () => {
  const over = { method: { earlier: 0 }, losses: { "easy-consistency": false } };
  const none = { optimizers: { earlier: false }, averages: { earlier: false } };
  const { stages } = await finished(frechetStage, { ...over, ...none }, { teacher: 2, steps: 3 });
  assert.equal(stages, ["teacher", "teacher", "distillation", "distillation", "distillation"]);
});

test("what does not fit is refused at the start", async () => {
  const run = (over: object) =>
    createdRun(frechetStage, over).then(
      () => assert.unreachable(),
      (error: Error) => error.message,
    );
  assert.match(String(await run({ critic: { use: "fake-score" } })), /the critic keeps no moments of features/);
  assert.match(
    String(await run({ critic: { extractor: "vgg16" }, losses: { frechet: { extractor: "vgg16" } } })),
    /samples are \[2\], the extractor vgg16 reads/,
  );
  assert.match(
    String(await run({ method: { earlier: 0.1 }, train: { steps: 2 } })),
    /^Cannot configure last-stage: train.steps is 2, should leave both stages some/,
  );
});

test.run();
