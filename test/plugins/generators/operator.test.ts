import { suite } from "uvu";
import * as assert from "uvu/assert";
import { levelTold } from "../../../core/diffusion/mod.ts";
import { GENERATOR, PROCESS } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { temporalBlock } from "../../../plugins/generators/shared/temporalBlock.ts";
import * as plugins from "../../../plugins/mod.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/generators/operator");

const shape = { sample: [2, 3], condition: {}, sigmaData: 0.5 };

test("are well-formed plugins", () => {
  checkPlugin(plugins.operator, { levels: [4, 2] });
  checkPlugin(plugins.bootstrapped, { sigmas: [10] });
});

test("temporalBlock: convolves over time, as the transform of each frequency says", async () => {
  const [M, N, C] = [3, 2, 2];
  const h = numbers([M, N, C]);
  const weights: Record<string, ArrayLike<number>> = { real: numbers([M, C, C], 1), imaginary: numbers([M, C, C], 2) };
  const feed = new Feed();
  const { scope } = feed.weights("", (name) => weights[name]);
  const { out } = await evaluate({ out: temporalBlock(scope, feed.tensor("h", [M, N, C], h)) }, feed, "f64");
  const at = (m: number, n: number, c: number) => h[(m * N + n) * C + c];
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++)
      for (let d = 0; d < C; d++) {
        let sum = 0;
        for (let k = 0; k < M; k++)
          for (let j = 0; j < M; j++)
            for (let c = 0; c < C; c++) {
              const angle = (2 * Math.PI * k * (m - j)) / M;
              const place = (k * C + c) * C + d;
              sum +=
                (at(j, n, c) * (Math.cos(angle) * weights.real[place] - Math.sin(angle) * weights.imaginary[place])) /
                M;
            }
        const expected = at(m, n, d) + sum / (1 + Math.exp(-sum));
        const found = out[(m * N + n) * C + d];
        assert.ok(Math.abs(found - expected) < 1e-5, `${found}, not ${expected}`);
      }
});

test("levelTold: what the process tells its network of a level", async () => {
  const feed = new Feed();
  const sigma = feed.tensor("sigma", [2], [1, 7]);
  const outputs = Object.fromEntries(
    [plugins.discrete(), plugins.rectifiedFlow(), undefined].map((process) => {
      const container = compose(shape, ...(process ? [process] : []));
      return [process?.name ?? "edm", levelTold(container.get(PROCESS), sigma)];
    }),
  );
  const read = await evaluate(outputs, feed, "f64");
  assert.ok(Math.abs(read.edm[1] - Math.log(7) / 4) < 1e-6);
  assert.ok(Math.abs(read["rectified-flow"][1] - 875) < 1e-3);
  assert.ok(Number.isInteger(read.discrete[1]) && read.discrete[1] > read.discrete[0]);
});

test("a fresh operator gives the network's own answers, whatever other points there are", async () => {
  const feed = new Feed();
  const made = (...levels: number[]) => {
    const container = compose(shape, plugins.mlp({ width: 8, depth: 1 }), plugins.operator({ sigmas: [10], levels }));
    const generator = container.get(GENERATOR);
    return generator.bind(feed.fresh(`${levels.length}`, generator.declare).scope);
  };
  const [x, sigma] = [feed.tensor("x", [2, 2, 3], numbers([2, 2, 3])), feed.tensor("sigma", [2], [10, 10])];
  const { one, three } = await evaluate(
    { one: made().denoise(x, sigma, {}), three: made(4, 1).denoise(x, sigma, {}) },
    feed,
    "f64",
  );
  for (const [i, each] of one.entries()) assert.ok(Math.abs(each - three[i]) < 1e-6, `${each}, not ${three[i]}`);
});

test("refuses points that do not fall", () => {
  const made = () => compose(shape, plugins.mlp(), plugins.operator({ sigmas: [10], levels: [2, 4] })).get(GENERATOR);
  assert.throws(made, /^Cannot configure operator: sigmas is/);
  const two = () => compose(shape, plugins.mlp(), plugins.bootstrapped({ sigmas: [10, 2] })).get(GENERATOR);
  assert.throws(two, /^Cannot configure bootstrapped: sigmas is \[10, 2\], should be one level/);
});

test.run();
