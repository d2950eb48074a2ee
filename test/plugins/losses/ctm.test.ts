import { suite } from "uvu";
import * as assert from "uvu/assert";
import { perSample } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { type Denoiser, GENERATOR, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { constant, div, mean, mul, square } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { ctmGenerator } from "../../../plugins/generators/ctm.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { ctmLoss } from "../../../plugins/losses/ctm.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/ctm");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
const net = mlp({ width: 6, depth: 2 });
type Options = Parameters<typeof ctmLoss>[0];
const lossOf = (options: Options = {}, generator = ctmGenerator({ sigmas: [10] })) =>
  compose(shape, net, generator, ctmLoss({ levels: 6, teacherSteps: 3, ...options })).all(LOSSES)[0];

test("loss and generator are well-formed plugins", () => {
  checkPlugin(ctmLoss, { levels: 18, jumpWeight: "length", distance: "l1" });
  checkPlugin(ctmGenerator, { sigmas: [80, 1] });
});

/** All data at the origin: paths are straight lines to it, and jumps that end anywhere are exact with g = 0. */
const origin: Denoiser = { denoise: (x) => mul(x, 0) };
const wrong: Denoiser = { denoise: (x) => mul(x, 0.1) };

async function computed(g: Denoiser, teacher: Denoiser, options: Options = {}) {
  const feed = new Feed();
  const generator = { ...g, lastWeight: () => constant(1, "f32", [1, 1]) };
  const context = {
    real: { x: feed.tensor("x", [16, 2], new Float32Array(32)), condition: {} },
    role: () => generator,
    teacher,
    average: () => generator,
    noise: feed.noise(),
  } as unknown as LossContext;
  const { value } = await evaluate({ value: lossOf({ adaptive: false, ...options }).compute(context) }, feed, "f64");
  return value[0];
}

test("is 0 for exact jumps, wherever they start and end, and above 0 for others", async () => {
  for (const options of [
    {},
    { drawsSteps: false, ends: "lowest" },
    { inner: "average", jumpWeight: "karras", stepsPower: 0 },
    { teacherSteps: 1, distance: "l1" },
  ] satisfies Options[]) {
    assert.ok((await computed(origin, origin, options)) < 1e-9, JSON.stringify(options));
    assert.ok((await computed(wrong, origin, options)) > 1e-6, JSON.stringify(options));
    assert.ok((await computed(origin, wrong, { ...options, denoising: 0 })) > 1e-6, JSON.stringify(options));
  }
});

test("the denoising term sees only jumps of no length", async () => {
  const still: Denoiser = {
    denoise: (x, sigma, { end }) => (end ? mul(x, perSample(div(0, sigma), x.shape.length)) : x),
  };
  assert.ok((await computed(still, origin)) < 1e-9);
});

test("without an end a generator jumps to its floor; its last weight is that of its output", async () => {
  const generator = compose(shape, net, ctmGenerator({ sigmas: [10], sigmaMin: 0.5 })).get(GENERATOR);
  const feed = new Feed();
  const { scope } = feed.weights("w.", (_, own) => numbers(own));
  const model = generator.bind(scope) as ReturnType<typeof generator.bind> & {
    lastWeight(): Parameters<typeof grad>[0];
  };
  const x = feed.tensor("x", [3, 2], numbers([3, 2]));
  const held = model.denoise(x, constant(0.5, "f32", [3]), {});
  const weight = model.lastWeight();
  assert.equal(weight.shape, [2, 6]);
  const [pull] = grad(mean(square(model.denoise(x, constant(3, "f32", [3]), {}))), [weight]);
  const result = await evaluate({ held, x, pull }, feed, "f64");
  assert.ok(result.held.every((each, i) => Math.abs(each - result.x[i]) < 1e-6));
  assert.ok(result.pull.some((each) => Math.abs(each) > 1e-6));
});

test("refuses another generator, and more steps of the teacher than there are levels", () => {
  assert.throws(() => lossOf({}, fewStep()), /Cannot use ctm: the generator has no lowest level/);
  assert.throws(() => lossOf({ teacherSteps: 6 }), /teacherSteps is 6, should be below levels 6/);
});

test.run();
