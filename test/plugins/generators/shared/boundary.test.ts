import { suite } from "uvu";
import * as assert from "uvu/assert";
import { edmDenoiser } from "../../../../core/diffusion/mod.ts";
import { tanh } from "../../../../core/ops/mod.ts";
import { boundaryDenoiser } from "../../../../plugins/generators/shared/boundary.ts";
import { evaluate, Feed, numbers } from "../../support.ts";

const test = suite("plugins/generators/shared/boundary");

const [sigmaMin, sigmaData] = [0.002, 0.5];
const options = { sigmaMin, sigmaData };

test("it is x at the lowest level, and c_skip·x + c_out·F above", async () => {
  const levels = [sigmaMin, 0.3, 80];
  const feed = new Feed();
  const x = feed.tensor("x", [3, 4], numbers([3, 4]));
  const sigma = feed.tensor("sigma", [3], levels);
  const network = boundaryDenoiser(
    edmDenoiser((x) => tanh(x), sigmaData),
    options,
  );
  const { said } = await evaluate({ said: network.denoise(x, sigma, {}) }, feed, "f64");
  levels.forEach((s, b) => {
    const [skip, out] = [
      sigmaData ** 2 / ((s - sigmaMin) ** 2 + sigmaData ** 2),
      ((s - sigmaMin) * sigmaData) / Math.hypot(s, sigmaData),
    ];
    for (let i = 4 * b; i < 4 * b + 4; i++) {
      const value = feed.values.x[i];
      const expected = skip * value + out * Math.tanh(value / Math.hypot(s, sigmaData));
      assert.ok(Math.abs(said[i] - expected) < 1e-7, `${said[i]}, should be ${expected}`);
    }
  });
});

test.run();
