import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel, type DataShape, type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { meanFlowGenerator } from "../../../plugins/generators/meanFlow.ts";
import { meanFlowLoss } from "../../../plugins/losses/meanFlow.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/losses/meanFlow");

const shape: DataShape = { sample: [2], condition: {}, sigmaData: 0.5 };
type Options = Parameters<typeof meanFlowLoss>[0];
const lossOf = (options: Options, data = shape) =>
  compose(data, mlp(), meanFlowGenerator({ sigmas: [10] }), meanFlowLoss(options)).all(LOSSES)[0];

test("is a well-formed plugin", () => checkPlugin(meanFlowLoss, { velocity: "teacher", loss: "opt-grad", step: 0.01 }));

/** The loss for data at the origin, whose paths are straight: u is ε everywhere, and D = 0 wherever a step ends. */
async function computed(options: Options, generator: Denoiser) {
  const feed = new Feed();
  const teacher: Denoiser = { denoise: (x) => mul(x, 0) };
  const context = {
    real: { x: feed.tensor("x", [4, 2], new Float32Array(8)), condition: {} },
    generator,
    role: () => teacher,
    noise: feed.noise(),
  } as unknown as LossContext;
  const { value } = await evaluate({ value: lossOf(options).compute(context) }, feed, "f64");
  return value[0];
}
const exact: Denoiser = { denoise: (x) => mul(x, 0) };
const wrong: Denoiser = { denoise: (x) => add(mul(x, 0.1), 0.1) };

test("a mean velocity that is constant along straight paths has no loss, however its derivative is found", async () => {
  for (const options of [
    {},
    { velocity: "teacher" },
    { derivative: "differences" },
    { apart: 0, power: 0 },
  ] satisfies Options[]) {
    assert.ok((await computed(options, exact)) < 1e-9, JSON.stringify(options));
    assert.ok((await computed(options, wrong)) > 1e-4, JSON.stringify(options));
  }
});

test("with r = t it is the loss of the flow, whose derivative counts for nothing", async () => {
  const still = { apart: 0, power: 0 };
  const value = await computed(still, wrong);
  assert.ok(Math.abs((await computed({ ...still, warmUp: 1000 }, wrong)) - value) < 1e-9);
  assert.ok(Math.abs((await computed({ ...still, derivative: "differences" }, wrong)) - value) < 1e-6);
  assert.ok(Math.abs((await computed({ apart: 1, power: 0 }, wrong)) - value) > 1e-4);
});

test("refuses guidance where nothing can be guided, and a mixture beside a teacher", () => {
  assert.throws(() => lossOf({ guidanceScale: 2 }), /^Cannot use mean-flow: it is guided, and the data have neither/);
  const labelled = { ...shape, condition: classLabel(2) };
  assert.throws(() => lossOf({ guidanceScale: 2, velocity: "teacher" }, labelled), /never seen a sample without/);
  assert.throws(() => lossOf({ guidanceScale: 2, conditionDropout: 0 }, labelled), /never seen a sample without/);
  assert.ok(lossOf({ guidanceScale: 2 }, labelled));
  assert.throws(
    () => lossOf({ mixture: 0.5, velocity: "teacher" }, labelled),
    /mixture is given with velocity=teacher/,
  );
});

test.run();
