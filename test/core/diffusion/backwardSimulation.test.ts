import { suite } from "uvu";
import * as assert from "uvu/assert";
import { backwardSimulation } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { constantArray, mul, reshape, sum } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { evaluate, Feed } from "../../plugins/support.ts";

const test = suite("core/diffusion/backwardSimulation");

/** D(x; σ) = gain·x·σ; counts its calls. */
function denoiser(gain: Tensor) {
  const seen = { calls: 0 };
  const denoise = (x: Tensor, sigma: Tensor) => {
    seen.calls++;
    return mul(mul(x, gain), reshape(sigma, [sigma.shape[0], 1]));
  };
  return { denoise, seen };
}
const draws = () => {
  const values = [constantArray([1], [1, 1]), constantArray([-2], [1, 1])];
  return () => values.shift()!;
};

test("clean = D(x; σ), then noise of the next level", async () => {
  const feed = new Feed();
  const { denoise, seen } = denoiser(feed.tensor("gain", [], [0.5]));
  const start = feed.tensor("start", [1, 1], [3]);
  const rungs = [...backwardSimulation({ denoise }, [8, 4, 1], start, {}, draws())];
  assert.is(seen.calls, 2, "the last level's call is not the simulation's");
  assert.is(rungs[0].x, start);
  assert.is(rungs[0].clean, undefined);
  const [, one, two] = rungs;
  const found = await evaluate({ a: one.clean!, b: one.x, c: two.clean!, d: two.x }, feed);
  const a = 3 * 0.5 * 8;
  const b = a + 4 * 1;
  const c = b * 0.5 * 4;
  assert.equal([found.a[0], found.b[0], found.c[0], found.d[0]], [a, b, c, c + 1 * -2]);
});

test("rungs that nobody asks for are not traced, and no gradient flows back", () => {
  const feed = new Feed();
  const gain = feed.tensor("gain", [], [0.5]);
  const { denoise, seen } = denoiser(gain);
  const rungs = backwardSimulation({ denoise }, [8, 4, 1], feed.tensor("s", [1, 1], [3]), {}, draws());
  rungs.next();
  const second = rungs.next().value!;
  assert.is(seen.calls, 1);
  assert.is(grad(sum(second.x), [gain])[0].attrs.value, 0);
});

test.run();
