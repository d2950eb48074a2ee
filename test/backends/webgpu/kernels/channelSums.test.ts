import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mul, pack, sum, view } from "../../../../core/ops/mod.ts";
import type { Tensor } from "../../../../core/tensor/mod.ts";
import { checkKernel, closeTestBackends, floats, tolerances } from "../../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/kernels/channelSums");
test.after(closeTestBackends);

const cases: [shape: number[], axes: number[]][] = [
  [[3, 5], [0]],
  [[7, 1], [0]],
  [
    [2, 3, 4, 5],
    [0, 2, 3],
  ],
  [[67], []],
  [[6, 130], [1]],
  [
    [33, 9, 2],
    [0, 2],
  ],
  [[200, 70], [0]],
  [[2, 3], [0]],
  [[5, 11], [1]],
];

/** Each sum goes to a place of its own in one flat tensor, as gradients do. */
function packedSums(inputs: readonly Tensor[]): Tensor[] {
  const sums = inputs.map((x, i) => sum(x, { axes: cases[i][1] }));
  const offsets = sums.map((_, i) => i * 128);
  const flat = pack(sums, offsets, 128 * sums.length);
  return sums.map(({ shape }, i) => view(flat, { offset: offsets[i], shape }));
}

for (const [name, options] of [
  ["as on this adapter", {}],
  ["as on hardware", { traits: { subgroups: false } }],
] as const)
  test(`nine sums of all kinds take two dispatches, ${name}`, async () => {
    const inputs = cases.map(([shape], i) => floats(shape, i + 1));
    const build = (...tensors: Tensor[]) => packedSums(tensors);
    const [{ dispatches }] = await checkKernel("sums", build, inputs, tolerances.sum, options);
    const sums = dispatches.filter(({ op }) => op === "sum");
    assert.ok(sums.length <= 4, `${sums.length} dispatches`);
    assert.ok(sums.some(({ variant }) => variant === "channels"));
  });

test("a sum does not wait past a step that writes what it reads", async () => {
  const inputs = [floats([40, 64], 1), floats([40, 64], 2)];
  const build = (a: Tensor, b: Tensor) => {
    const products = mul(a, b);
    const first = sum(products, { axes: [0] });
    // The product's place is free from here on, and the next product takes it.
    const second = sum(mul(mul(b, sum(products, { axes: [1], keepDims: true })), 3), { axes: [0] });
    const flat = pack([first, second], [0, 64], 128);
    return [view(flat, { offset: 0, shape: [64] }), view(flat, { offset: 64, shape: [64] })];
  };
  await checkKernel("waiting sums", build as never, inputs, { ...tolerances.sum, ofLargest: 1e-4 });
});

test.run();
