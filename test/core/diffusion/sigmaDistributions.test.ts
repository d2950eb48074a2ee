import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  logitNormal,
  logNormal,
  logUniform,
  NoiseSource,
  type SigmaDistribution,
  shifted,
  timesOf,
  uniformIndex,
  uniformTime,
} from "../../../core/diffusion/mod.ts";
import { constantArray, input } from "../../../core/ops/mod.ts";
import { keyOf } from "../../../core/random/philox.ts";
import { compute } from "../../helpers/compute.ts";

const test = suite("core/diffusion/sigmaDistributions");
const COUNT = 4096;

async function draws(distribution: SigmaDistribution): Promise<number[]> {
  const noise = new NoiseSource(input("key", [3], "i32"));
  const { y } = await compute({ y: distribution(noise, COUNT) }, { key: Int32Array.from(keyOf(5, 0)) });
  return [...y];
}
const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / values.length;
const spread = (values: number[]) => Math.sqrt(mean(values.map((each) => (each - mean(values)) ** 2)));
/** Within four standard errors of a mean of COUNT draws of spread s. */
const near = (actual: number, expected: number, s: number) =>
  assert.ok(Math.abs(actual - expected) < (4 * s) / Math.sqrt(COUNT), `${actual}, ${expected}`);

test("logNormal: ln σ has EDM's mean and deviation", async () => {
  const logs = (await draws(logNormal())).map(Math.log);
  near(mean(logs), -1.2, 1.2);
  near(spread(logs), 1.2, 1.2);
});

test("logitNormal is log-normal in σ = t/(1 − t); a shift adds ln(shift)", async () => {
  const plain = (await draws(logitNormal(0.3, 0.8))).map(Math.log);
  near(mean(plain), 0.3, 0.8);
  const moved = (await draws(shifted(logitNormal(0.3, 0.8), 3))).map(Math.log);
  moved.forEach((each, i) => {
    assert.ok(Math.abs(each - plain[i] - Math.log(3)) < 1e-5);
  });
});

test("logUniform: within its bounds, evenly", async () => {
  const logs = (await draws(logUniform(0.02, 100))).map(Math.log);
  assert.ok(Math.min(...logs) >= Math.log(0.02) - 1e-5 && Math.max(...logs) < Math.log(100) + 1e-5);
  near(mean(logs), Math.log(2) / 2, Math.log(5000) / Math.sqrt(12));
});

test("uniformTime: t = σ/(1 + σ) even in its bounds", async () => {
  const sigma = await draws(uniformTime(0.1, 0.9));
  const { y } = await compute({ y: timesOf(constantArray(sigma, [COUNT])) });
  const times = [...y];
  assert.ok(Math.min(...times) > 0.0999 && Math.max(...times) < 0.9001);
  near(mean(times), 0.5, 0.8 / Math.sqrt(12));
});

test("uniformIndex: only levels of the grid between low and high, each as likely", async () => {
  const sigma = await draws(uniformIndex([1, 2, 4, 8, 16], 1, 4));
  const share = (level: number) => sigma.filter((each) => each === level).length / COUNT;
  for (const level of [2, 4, 8]) near(share(level), 1 / 3, Math.sqrt(2) / 3);
  assert.is(share(1) + share(16), 0);
});

test.run();
