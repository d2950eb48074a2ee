import { suite } from "uvu";
import * as assert from "uvu/assert";
import { max, sum } from "../../../../core/ops/mod.ts";
import { checkKernel, closeTestBackends, floats, integers, tolerances } from "../../../helpers/kernelHarness.ts";
import { type Profile, profiles } from "./profiles.ts";

const test = suite("backends/webgpu/kernels/reduce");
test.after(closeTestBackends);
let all: Profile[];
test.before(async () => {
  all = await profiles();
});

const cases: readonly (readonly [shape: number[], axes: number[]])[] = [
  [[1], [0]],
  [[7], [0]],
  [[3, 1, 4], [1]],
  [[5, 7], [0]],
  [[5, 7], [1]],
  [
    [5, 7],
    [0, 1],
  ],
  [[300, 70], [0]],
  [[70, 300], [1]],
  [
    [3, 5, 7, 2],
    [0, 2],
  ],
  [
    [3, 5, 7, 2],
    [1, 3],
  ],
  [
    [8, 6, 9, 9],
    [0, 2, 3],
  ],
  [[3, 9001], [1]],
  [[9001, 3], [0]],
  [
    [2, 3, 2, 3, 2, 3, 2],
    [0, 2, 4, 6],
  ],
  [
    [2, 3, 2, 3, 2, 3, 2],
    [1, 3, 5],
  ],
  [[300007], [0]],
];

for (const [shape, axes] of cases)
  test(`sum and max: [${shape.join(", ")}] over ${axes.join(", ")}`, async () => {
    const terms = axes.reduce((product, axis) => product * shape[axis], 1);
    const tolerance = { ...tolerances.sum, absolute: 1e-6 * Math.sqrt(terms) };
    for (const { name, options, has } of all) {
      const build = (x: never) => sum(x, { axes, keepDims: true });
      const isFit = { subgroup8: terms >= 64, hardware: terms >= 128, portable: true }[name];
      if (has("sum") && isFit) await checkKernel(`sum ${name}`, build as never, [floats(shape)], tolerance, options);
      if (has("max")) await checkKernel("max", (x) => max(x, { axes }), [floats(shape)], tolerances.exact, options);
    }
    for (const [op, low] of [
      [sum, -99],
      [max, 0],
    ] as const)
      await checkKernel("i32", (x) => op(x, { axes }), [integers(shape, 1, low, 99)], tolerances.exact);
  });

test("sum: the same bits again", async () => {
  for (const { options, has } of all) {
    if (!has("sum")) continue;
    const run = async () =>
      (await checkKernel("sum", (x) => sum(x), [floats([100003])], { ...tolerances.sum, absolute: 1e-3 }, options))[0];
    assert.equal((await run()).actual, (await run()).actual);
  }
});

test("max: infinities, and NaN in the last place", async () => {
  const data = new Float32Array([1, 3, NaN, -Infinity, -5, -2, Infinity, 2, 0, -0, -0, -0]);
  const found = await checkKernel("max", (x) => max(x, { axes: [1] }), [{ shape: [4, 3], data }], tolerances.exact);
  assert.ok(Number.isNaN(found[0].actual[0]));
});

test.run();
