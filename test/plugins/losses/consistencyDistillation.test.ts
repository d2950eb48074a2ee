import { suite } from "uvu";
import * as assert from "uvu/assert";
import { perSample } from "../../../core/diffusion/mod.ts";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { div, mul } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { consistencyGenerator } from "../../../plugins/generators/consistency.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { consistencyDistillation } from "../../../plugins/losses/consistencyDistillation.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/consistencyDistillation");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
type Options = Parameters<typeof consistencyDistillation>[0];
const lossOf = (options: Options = {}, generator = consistencyGenerator({ sigmas: [10] })) =>
  compose(shape, mlp(), generator, consistencyDistillation(options)).all(LOSSES)[0];

test("is a well-formed plugin", () =>
  checkPlugin(consistencyDistillation, { levels: 18, levelWeight: "snr", distance: "l1" }));

/** All data at the origin: the teacher always says 0, and paths are straight lines through it. */
const origin: Denoiser = { denoise: (x) => mul(x, 0) };
/** Where those paths end at the lowest level: x·ε/σ. */
const exact: Denoiser = {
  denoise: (x, sigma) => mul(x, perSample(div(0.002, sigma), x.shape.length)),
};

async function computed(generator: Denoiser, target: Denoiser, options: Options = {}) {
  const feed = new Feed();
  const asked: string[] = [];
  const context = {
    real: { x: feed.tensor("x", [4, 2], numbers([4, 2])), condition: {} },
    generator,
    teacher: origin,
    average: (role: string, label: string) => {
      asked.push(`${role}/${label}`);
      return target;
    },
    noise: feed.noise(),
  } as unknown as LossContext;
  const { value } = await evaluate({ value: lossOf(options).compute(context) }, feed, "f64");
  return { value: value[0], asked };
}

test("is 0 for the exact consistency function, whatever the draws, and above 0 for another", async () => {
  const { value, asked } = await computed(exact, exact);
  assert.ok(value < 1e-9, `${value}`);
  assert.equal(asked, ["generator/target"]);
  assert.ok((await computed(origin, exact)).value > 1e-9);
  assert.ok((await computed(exact, origin, { levelWeight: "snr" })).value > 1e-6);
});

test("the label of the average is an option", async () => {
  assert.equal((await computed(exact, exact, { target: "slow" })).asked, ["generator/slow"]);
});

test("needs a generator that has a lowest level", () => {
  assert.throws(() => lossOf({}, fewStep()), /consistency-distillation: the generator has no lowest/);
});

test.run();
