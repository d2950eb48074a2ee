import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type DataShape, type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { easyConsistencyLoss } from "../../../plugins/losses/easyConsistency.ts";
import { drawnLevels, stretchAt } from "../../../plugins/losses/shared/drawnLevels.ts";
import { normalDistribution } from "../../../plugins/losses/shared/quantiles.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/easyConsistency");

const shape: DataShape = { sample: [2], condition: {}, sigmaData: 0.5 };
type Options = Parameters<typeof easyConsistencyLoss>[0];
const lossOf = (options: Options) =>
  compose(shape, mlp(), fewStep({ sigmas: [10] }), easyConsistencyLoss(options)).all(LOSSES)[0];

test("is a well-formed plugin", () => checkPlugin(easyConsistencyLoss, { factor: 4, levelWeight: "output" }));

async function computed(options: Options, learner: Denoiser, step = 0) {
  const feed = new Feed();
  const x = feed.tensor("x", [512, 2], numbers([512, 2]));
  const role = (name: string): Denoiser => (name === "teacher" ? { denoise: () => x } : learner);
  const context = { real: { x, condition: {} }, role, noise: feed.noise(0, step) } as unknown as LossContext;
  const { value } = await evaluate({ value: lossOf(options).compute(context) }, feed, "f64");
  return value[0];
}
/** Far from consistent. */
const half: Denoiser = { denoise: (x) => mul(x, 0.5) };

test("what gives one sample at all levels has no loss, and a teacher that knows the sample leads as the sample does", async () => {
  assert.ok((await computed({}, { denoise: (x) => add(mul(x, 0), 1) })) < 1e-9);
  const value = await computed({}, half);
  assert.ok(value > 1e-2);
  assert.ok(Math.abs((await computed({ teacher: true }, half)) - value) < 1e-9);
});

test("pairs come together from stage to stage, up to the limit", async () => {
  const at = (step: number) => computed({ each: 100, limit: 0.9, levelWeight: "uniform" }, half, step);
  const values = await Promise.all([0, 150, 250, 350, 1000].map(at));
  // The share of the way is halved at each stage, and then a tenth; draws differ by less.
  assert.ok(values[1] < 0.8 * values[0] && values[2] < 0.8 * values[1] && values[3] < values[2], `${values}`);
  assert.ok(Math.abs(values[4] / values[3] - 1) < 0.3, `${values}`);
});

test("draws levels between the bounds with the distribution's median, and knows which stretch is on", async () => {
  const feed = new Feed();
  const draw = drawnLevels(normalDistribution(-1.1, 2), 0.002, 80);
  const { levels, stretch } = await evaluate(
    { levels: draw(feed.noise(0, 25), 4000), stretch: stretchAt(feed.noise(0, 25), [10, 25, 26]) },
    feed,
    "f64",
  );
  assert.ok(levels.every((level) => level >= 0.002 * (1 - 1e-6) && level <= 80 * (1 + 1e-6)));
  const below = levels.filter((level) => level < Math.exp(-1.1)).length / levels.length;
  assert.ok(Math.abs(below - 0.5) < 0.03, `${below}`);
  assert.equal([...stretch], [2]);
});

test("refuses levels above the generator's, and a square under Huber's root", () => {
  assert.throws(() => lossOf({ sigmaMin: 10 }), /sigmaMin is 10, should be below 10/);
  assert.throws(() => lossOf({ squared: true }), /squared with huberC 1e-8, should be with 0/);
});

test.run();
