import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { type DataShape, type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul, sum } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { truncatedPair } from "../../../plugins/losses/shared/easyConsistency.ts";
import { truncatedConsistencyLoss } from "../../../plugins/losses/truncatedConsistency.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/truncatedConsistency");

const shape: DataShape = { sample: [2], condition: {}, sigmaData: 0.5 };
type Options = Parameters<typeof truncatedConsistencyLoss>[0];
const lossOf = (options: Options, sigmas = [10]) =>
  compose(shape, mlp(), fewStep({ sigmas }), truncatedConsistencyLoss(options)).all(LOSSES)[0];

test("is a well-formed plugin", () => checkPlugin(truncatedConsistencyLoss, { border: 0.5, levelWeight: "root-gap" }));

async function computed(options: Options, roles: Record<"generator" | "earlier", Denoiser>) {
  const feed = new Feed();
  const x = feed.tensor("x", [256, 2], numbers([256, 2]));
  const role = (name: "generator" | "earlier") => roles[name];
  const context = { real: { x, condition: {} }, role, noise: feed.noise() } as unknown as LossContext;
  const { value } = await evaluate({ value: lossOf(options).compute(context) }, feed, "f64");
  return value[0];
}
const always = (value: number): Denoiser => ({ denoise: (x) => add(mul(x, 0), value) });

test("below the border the earlier model answers and nobody gets a gradient; from it on the generator does", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [3, 2], numbers([3, 2]));
  const [a, b] = [feed.tensor("a", [1], [0.5]), feed.tensor("b", [1], [0.25])];
  const { generator } = truncatedPair({ denoise: (y) => mul(y, a) }, { denoise: (y) => mul(y, b) }, 1);
  const said = (sigmas: number[], name: string) => generator.denoise(x, feed.tensor(name, [3], sigmas), {});
  const [low, high] = [said([0.1, 0.5, 0.999], "low"), said([1, 2, 10], "high")];
  const [toLow, toEarlier] = grad(sum(low), [a, b]);
  const [toHigh] = grad(sum(high), [a]);
  const made = await evaluate({ low, high, toLow, toEarlier, toHigh, total: sum(x) }, feed, "f64");
  assert.equal(
    [...made.low],
    Array.from(numbers([3, 2]), (each) => Math.fround(each) * 0.25),
  );
  assert.equal(
    [...made.high],
    Array.from(numbers([3, 2]), (each) => Math.fround(each) * 0.5),
  );
  assert.equal([made.toLow[0], made.toEarlier[0]], [0, 0]);
  assert.is(made.toHigh[0], made.total[0]);
});

test("samples at the border alone are held to the earlier model, and count by their weight", async () => {
  // One sample wherever it is asked, but not the earlier model's: pairs that reach below the border are those drawn at it, at a
  // ratio so near 1 that hardly any others do.
  const roles = { generator: always(1), earlier: always(0) };
  const options: Options = { ratio: 0.9999, levelWeight: "uniform", degrees: 100, deviation: 1, floor: 0 };
  const none = await computed({ ...options, boundary: 0 }, roles);
  const tenth = await computed({ ...options, boundary: 0.1 }, roles);
  assert.ok(none < 0.02, `${none}`);
  // The distance is √2, over the share of samples that were drawn, a quarter but for chance.
  assert.ok(Math.abs((tenth - none) / (0.1 * Math.SQRT2) - 1) < 0.3, `${tenth}`);
  assert.ok((await computed(options, { generator: always(1), earlier: always(1) })) < 1e-9);
});

test("refuses a border that the generator never reaches", () => {
  assert.throws(
    () => lossOf({ border: 10 }),
    /border is 10, should be between floor 0.002 and the levels of the generator, 10/,
  );
  assert.throws(
    () => lossOf({ border: 2 }, [10, 1]),
    /should be between floor 0.002 and the levels of the generator, 10, 1/,
  );
  assert.throws(() => lossOf({ border: 0.001 }), /border is 0.001/);
});

test.run();
