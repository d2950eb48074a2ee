// Winograd's convolutions against the reference, and where they are chosen.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasWinograd } from "../../../../backends/webgpu/kernels/winograd.ts";
import { conv2d, conv2dInputGrad, conv2dWeightGrad, mul, silu } from "../../../../core/ops/mod.ts";
import { type Tensor, withStorage } from "../../../../core/tensor/mod.ts";
import {
  checkKernel,
  closeTestBackends,
  floats,
  type KernelResult,
  testBackend,
  tolerances,
} from "../../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/kernels/winograd");
test.after(closeTestBackends);
let runs = false;
test.before(async () => {
  const { traits } = await testBackend();
  runs = traits.subgroupMinSize === 8 && traits.subgroupMaxSize === 8;
  if (!runs) console.log(`not run: no subgroups of 8 lanes on ${traits.name}`);
});

const geometry = { stride: [1, 1], padding: [1, 1] } as const;
const options = { variants: { conv2d: "winograd", conv2dInputGrad: "winograd", conv2dWeightGrad: "winograd" } };
type Build = Parameters<typeof checkKernel>[1];

const kernelsOf = ({ dispatches }: KernelResult) => dispatches.map(({ kernel }) => kernel.name);

const cases: readonly (readonly [x: readonly [B: number, C: number, H: number, W: number], O: number])[] = [
  [[2, 16, 8, 8], 16],
  [[1, 20, 12, 12], 44],
  [[3, 36, 7, 7], 16],
  [[9, 16, 4, 3], 20],
  [[1, 16, 30, 28], 16],
  [[2, 16, 13, 15], 32],
  [[8, 16, 4, 4], 68],
  [[1, 16, 3, 40], 16],
  [[1, 260, 8, 16], 16],
];

for (const [x, O] of cases)
  test(`conv2d and its gradients: [${x}] to ${O} channels`, async () => {
    if (!runs) return;
    const [B, C, H, W] = x;
    const [weight, y] = [
      [O, C, 3, 3],
      [B, O, H, W],
    ];
    const check = async (op: string, last: string, build: Build, ...shapes: (readonly number[])[]) => {
      const inputs = shapes.map((shape, i) => floats(shape, i + 1));
      const [result] = await checkKernel(op, build, inputs, tolerances.sum, options);
      const kernels = kernelsOf(result).filter((name) => name !== "repack");
      assert.equal(kernels, ["winogradInput", "matmulSubgroup", last]);
    };
    await check("conv2d", "winogradOutput", (a, b) => conv2d(a, b, geometry), x, weight);
    const inputGrad: Build = (a, b) => conv2dInputGrad(a, b, { ...geometry, size: [H, W] });
    await check("conv2dInputGrad", "winogradOutput", inputGrad, y, weight);
    const weightGrad: Build = (a, b) => conv2dWeightGrad(a, b, { ...geometry, kernel: [3, 3] });
    await check("conv2dWeightGrad", "winogradWeightGrad", weightGrad, x, y);
  });

test("sums of more than 128 channels are cut", async () => {
  if (!runs) return;
  for (const [C, cut] of [
    [128, []],
    [132, ["repack"]],
  ] as const) {
    const inputs = [floats([2, C, 8, 8]), floats([16, C, 3, 3], 2)];
    const [result] = await checkKernel("cut", (x, w) => conv2d(x, w, geometry), inputs, tolerances.sum, options);
    assert.equal(kernelsOf(result), ["winogradInput", "matmulSubgroup", ...cut, "winogradOutput"]);
  }
});

test("operands and results kept in f16, in rows that are whole vectors and others", async () => {
  const { traits } = await testBackend(options);
  if (!runs || !traits.f16) return;
  const kept = (x: Tensor) => withStorage("f16", () => mul(x, 0.5));
  for (const W of [7, 8]) {
    const [x, y, weight] = [floats([4, 16, 8, W]), floats([4, 20, 8, W], 2), floats([20, 16, 3, 3], 3)];
    const half = (name: string, build: (a: Tensor, b: Tensor) => Tensor, ...inputs: (typeof x)[]) =>
      checkKernel(
        `${name} f16`,
        (a, b) => withStorage("f16", () => build(kept(a), kept(b))),
        inputs,
        tolerances.half,
        options,
      );
    await half("conv2d", (a, b) => conv2d(a, b, geometry), x, weight);
    await half("conv2dInputGrad", (a, b) => conv2dInputGrad(a, b, { ...geometry, size: [8, W] }), y, weight);
    await half("conv2dWeightGrad", (a, b) => conv2dWeightGrad(a, b, { ...geometry, kernel: [3, 3] }), x, y);
  }
});

test("an elementwise step behind a convolution is the epilogue of its last kernel", async () => {
  if (!runs) return;
  for (const [W, last] of [
    [8, "winogradOutput+epilogue"],
    [7, "repack+epilogue"],
  ] as const) {
    const [result] = await checkKernel(
      "epilogue",
      (x, w) => silu(conv2d(x, w, geometry)),
      [floats([2, 16, 8, W]), floats([16, 16, 3, 3], 2)],
      tolerances.sum,
      options,
    );
    assert.is(kernelsOf(result).at(-1), last);
  }
});

test("chosen by shape and device", async () => {
  const { traits } = await testBackend({ traits: { subgroups: true, subgroupMinSize: 8, subgroupMaxSize: 8 } });
  const sizes = { B: 4, C: 32, H: 8, W: 8, O: 32, R: 3, S: 3, OH: 8, OW: 8, stride: [1, 1], padding: [1, 1] } as const;
  const has = (given: object, more: object = {}) => hasWinograd({ ...sizes, ...given }, { ...traits, ...more });
  assert.ok(has({}));
  assert.ok(has({ C: 16, O: 128, H: 7, W: 7 }));
  for (const given of [
    { R: 1, S: 1, padding: [0, 0] },
    { stride: [2, 2] },
    { padding: [0, 0] },
    { C: 3 },
    { C: 18 },
    { O: 12 },
    { B: 1 }, // four tiles
    { B: 32, H: 2, W: 2 }, // mostly padding
    { B: 32, H: 9, W: 9 },
  ])
    assert.not(has(given), JSON.stringify(given));
  assert.not(has({}, { subgroupMaxSize: 32 }));
  assert.not(has({}, { maxBinding: 36 * 16 * 32 * 4 - 1 }));
  assert.ok(has({}, { maxBinding: 36 * 32 * 32 * 4 }));
});

test("refused by name elsewhere, with what it needs", async () => {
  const message = await checkKernel(
    "refused",
    (x, w) => conv2d(x, w, geometry),
    [floats([1, 3, 8, 8]), floats([16, 3, 3, 3], 2)],
    tolerances.sum,
    options,
  ).then(
    () => "",
    (error: Error) => error.message,
  );
  assert.match(message, /^Cannot run conv2d with variant "winograd": .+ it needs to be 3×3 with stride and padding 1/);
});

test.run();
