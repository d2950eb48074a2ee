import { suite } from "uvu";
import * as assert from "uvu/assert";
import { perSample } from "../../../core/diffusion/mod.ts";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { div, mul } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { emaCurriculum } from "../../../plugins/averages/emaCurriculum.ts";
import { consistencyGenerator } from "../../../plugins/generators/consistency.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { consistencyTrainingLoss } from "../../../plugins/losses/consistencyTraining.ts";
import { doublingIntervals } from "../../../plugins/losses/shared/curriculum.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/consistencyTraining");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
type Options = Parameters<typeof consistencyTrainingLoss>[0];
const lossOf = (options: Options = {}, generator = consistencyGenerator({ sigmas: [10] })) =>
  compose(shape, mlp(), generator, consistencyTrainingLoss(options)).all(LOSSES)[0];

test("loss and average are well-formed plugins", () => {
  checkPlugin(consistencyTrainingLoss, { last: 20, distance: "huber", levelWeight: "gap" });
  checkPlugin(emaCurriculum, { beta: 0.9 });
});

/** Data at the origin, whose paths are straight lines to it: x·floor/σ. */
const exact: Denoiser = { denoise: (x, sigma) => mul(x, perSample(div(0.002, sigma), x.shape.length)) };
const wrong: Denoiser = { denoise: (x) => mul(x, 0.5) };

async function computed(options: Options, generator: Denoiser, data = new Float32Array(32)) {
  const feed = new Feed();
  const context = {
    real: { x: feed.tensor("x", [16, 2], data), condition: {} },
    generator,
    average: () => generator,
    noise: feed.noise(),
  } as unknown as LossContext;
  return (await evaluate({ value: lossOf(options).compute(context) }, feed, "f64")).value[0];
}
const improved: Options = {
  target: "generator",
  growth: "doubling",
  indices: "log-normal",
  distance: "huber",
  levelWeight: "gap",
};

test("is 0 for the exact consistency function of one point, and above 0 for another", async () => {
  for (const options of [{}, improved, { distance: "l1", levelWeight: "karras", first: 7 }] satisfies Options[]) {
    assert.ok((await computed(options, exact)) < 1e-6, JSON.stringify(options));
    assert.ok((await computed(options, wrong)) > 1e-3, JSON.stringify(options));
  }
});

test("with two levels it is regression from the highest to the sample in the noise of the lowest", async () => {
  // The generator that is its input at the lowest level, and 0 above: d = |x + floor·ε|.
  const step: Denoiser = { denoise: (x, sigma) => mul(x, perSample(div(0.002, sigma), x.shape.length)) };
  const data = Float32Array.from(numbers([16, 2]));
  const power = data.reduce((sum, each) => sum + each * each, 0) / data.length;
  const value = await computed({ first: 1, last: 1 }, step, data);
  assert.ok(Math.abs(value - power) < 0.05 * power, `${value} ${power}`);
});

test("levels double in equal parts of the run, and refuse to fall", () => {
  const at = (update: number) => doublingIntervals(update, { first: 10, last: 80, updates: 400 });
  assert.equal([0, 99, 100, 200, 399, 400].map(at), [10, 10, 20, 40, 80, 80]);
  assert.throws(() => lossOf({ first: 9, last: 3 }), /first is 9 and last 3/);
  assert.throws(() => lossOf({}, fewStep()), /consistency-training: the generator has no lowest/);
});

test.run();
