// The kernel on subgroup matrices: on any device with their builtins emulated, and as it is where the adapter has them.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { matricesFor } from "../../../../backends/webgpu/kernels/matrices.ts";
import type { WebGpuOptions } from "../../../../backends/webgpu/mod.ts";
import {
  describeMatrices,
  type MatrixShape,
  type MatrixUse,
  type TriedMatrices,
} from "../../../../backends/webgpu/subgroupMatrices.ts";
import * as ops from "../../../../core/ops/mod.ts";
import { type Shape, type Tensor, withStorage } from "../../../../core/tensor/mod.ts";
import { emulatedMatrices } from "../../../helpers/emulatedMatrices.ts";
import { checkKernel, closeTestBackends, floats, testBackend, tolerances } from "../../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/kernels/matrices");
test.after(closeTestBackends);

const matrices = (factors: MatrixShape["factors"], [M, N, K]: readonly [number, number, number]): TriedMatrices => ({
  factors,
  M,
  N,
  K,
  layout: "template",
  uses: ["products", "convolutions", "attention"],
});

const forced = {
  attention: "matrices",
  matmul: "matrices",
  conv2d: "matrices",
  conv2dInputGrad: "matrices",
  conv2dWeightGrad: "matrices",
};

const emulated = (shape: TriedMatrices, subgroups = 4): WebGpuOptions => ({
  variants: forced,
  kernels: emulatedMatrices(subgroups),
  traits: { software: false, matrices: [shape], subgroupMaxSize: 8 },
});

/** Any transposes of [M, K] · [K, N], kept in `storage`; says that it ran on matrices. */
async function check(
  options: WebGpuOptions,
  storage: MatrixShape["factors"],
  [M, K, N]: readonly [number, number, number],
  [batchA, batchB]: readonly [Shape, Shape] = [[], []],
  transposes: readonly (readonly [boolean, boolean])[] = [[false, false]],
): Promise<void> {
  // A source is kept in f32: what is computed from it is kept as asked for.
  const kept = (x: Tensor) => withStorage(storage, () => ops.mul(x, 0.5));
  for (const [transA, transB] of transposes) {
    const a = floats([...batchA, ...(transA ? [K, M] : [M, K])], 1);
    const b = floats([...batchB, ...(transB ? [N, K] : [K, N])], 2);
    const [{ dispatches }] = await checkKernel(
      `matmul ${storage} [${batchA}] [${batchB}] ${M} ${K} ${N} ${transA} ${transB}`,
      (x, y) => withStorage(storage, () => ops.matmul(kept(x), kept(y), { transA, transB })),
      [a, b],
      storage === "f16" ? tolerances.half : tolerances.sum,
      options,
    );
    assert.ok(dispatches.some(({ kernel }) => kernel.name === "matmulMatrix"));
  }
}

const allTransposes = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const;

/** Matrices of Metal, and of Intel's GPUs, whose sizes all differ but one; there half of the subgroups idle. */
const metal = emulated(matrices("f32", [8, 8, 8]));
const intel = emulated(matrices("f16", [8, 16, 16]), 8);

for (const [name, options, storage] of [
  ["f32", metal, "f32"],
  ["f16", intel, "f16"],
] as const)
  test(`emulated, ${name}: sizes around a tile's, all transposes`, async () => {
    const { traits } = await testBackend(options);
    if (storage === "f16" && !traits.f16) return console.log(`not run: ${traits.name} keeps nothing in f16`);
    await check(options, storage, [1, 2, 1]); // a single number would be kept in f32
    for (const size of [
      [7, 13, 11],
      [33, 17, 65],
      [70, 40, 37],
    ] as const)
      await check(options, storage, size, [[], []], allTransposes);
  });

test("emulated: sums in chunks, and batch axes that are broadcast", async () => {
  await check(metal, "f32", [5, 301, 7]);
  await check(metal, "f32", [5, 700, 66]);
  await check(metal, "f32", [9, 20, 3], [[2, 1], [3]]);
  await check(
    metal,
    "f32",
    [3, 5, 2],
    [
      [2, 1, 3, 1, 2],
      [1, 2, 1, 3, 1],
    ],
    allTransposes,
  );
});

/** A convolution and its gradients, with operands kept in `storage`; says that they ran on matrices. */
async function checkConvolutions(
  options: WebGpuOptions,
  storage: MatrixShape["factors"],
  x: Shape,
  w: Shape,
  given: { stride?: readonly [number, number]; padding?: readonly [number, number] },
): Promise<void> {
  const geometry = { stride: [1, 1], padding: [0, 0], ...given } as const;
  const y = ops.conv2d(ops.input("x", x), ops.input("w", w), geometry).shape;
  const run = async (name: string, build: (a: Tensor, b: Tensor) => Tensor, ...shapes: readonly Shape[]) => {
    const [{ dispatches }] = await checkKernel(
      `${name} ${storage} [${x}] [${w}] ${JSON.stringify(geometry)}`,
      (a, b) => withStorage(storage, () => build(ops.mul(a, 0.5), ops.mul(b, 0.5))),
      shapes.map((shape, i) => floats(shape, i + 1)),
      storage === "f16" ? tolerances.half : tolerances.sum,
      options,
    );
    assert.ok(dispatches.some(({ kernel }) => /Matrix/.test(kernel.name)));
  };
  await run("conv2d", (a, b) => ops.conv2d(a, b, geometry), x, w);
  await run("conv2dInputGrad", (a, b) => ops.conv2dInputGrad(a, b, { size: [x[2], x[3]], ...geometry }), y, w);
  await run("conv2dWeightGrad", (a, b) => ops.conv2dWeightGrad(a, b, { kernel: [w[2], w[3]], ...geometry }), x, y);
}

test("emulated: pointwise convolutions and their gradients are products", () =>
  checkConvolutions(metal, "f32", [3, 7, 5, 3], [9, 7, 1, 1], {}));

/** Next to nothing, more than a tile of pixels and of channels with sums in chunks, strides. */
const convolutions = [
  [[1, 1, 1, 2], [2, 1, 3, 3], { padding: [1, 1] }],
  [[3, 5, 7, 7], [67, 5, 3, 3], { padding: [1, 1] }],
  [[2, 6, 6, 7], [3, 6, 5, 3], { stride: [2, 3], padding: [1, 2] }],
] as const;

for (const [name, options, storage] of [
  ["f32", metal, "f32"],
  ["f16", intel, "f16"],
] as const)
  test(`emulated, ${name}: convolutions and their gradients, any sizes`, async () => {
    const { traits } = await testBackend(options);
    if (storage === "f16" && !traits.f16) return console.log(`not run: ${traits.name} keeps nothing in f16`);
    for (const [x, w, geometry] of convolutions) await checkConvolutions(options, storage, x, w, geometry);
  });

/** Attention with operands kept in `storage`; says that it ran on matrices. */
async function checkAttention(
  options: WebGpuOptions,
  storage: MatrixShape["factors"],
  [N, M, D, E]: readonly [number, number, number, number],
  [q, k, v]: readonly [Shape, Shape, Shape] = [[], [], []],
): Promise<void> {
  const kept = (x: Tensor) => ops.mul(x, 2);
  const [{ dispatches }] = await checkKernel(
    `attention ${storage} ${N} ${M} ${D} ${E} [${q}] [${k}] [${v}]`,
    (a, b, c) => withStorage(storage, () => ops.attention(kept(a), kept(b), kept(c), { scale: 1.5 / Math.sqrt(D) })),
    [floats([...q, N, D], 1), floats([...k, M, D], 2), floats([...v, M, E], 3)],
    storage === "f16" ? tolerances.half : tolerances.sum,
    options,
  );
  assert.ok(dispatches.some(({ kernel }) => kernel.name === "attentionMatrix"));
}

/** Next to nothing, odd sizes, all keys in one tile, more than a tile of everything. */
const attentions = [
  [1, 1, 2, 2],
  [5, 7, 3, 4],
  [16, 64, 18, 32],
  [65, 66, 17, 66],
] as const;

for (const [name, options, storage] of [
  ["f32", metal, "f32"],
  ["f16", intel, "f16"],
] as const)
  test(`emulated, ${name}: attention, any sizes`, async () => {
    const { traits } = await testBackend(options);
    if (storage === "f16" && !traits.f16) return console.log(`not run: ${traits.name} keeps nothing in f16`);
    for (const size of attentions) await checkAttention(options, storage, size);
  });

test("emulated: attention over batch axes that are broadcast, more than one dispatch takes", async () => {
  await checkAttention(metal, "f32", [4, 5, 6, 7], [[2, 1, 2, 1, 2], [1, 2, 1, 2, 1], [1]]);
});

test("emulated: an elementwise step behind a product is its epilogue", async () => {
  const [{ dispatches }] = await checkKernel(
    "epilogue",
    (a, b, bias) => ops.silu(ops.add(ops.matmul(a, b), bias)),
    [floats([35, 6]), floats([6, 33], 2), floats([33], 3)],
    tolerances.sum,
    metal,
  );
  assert.equal(
    dispatches.map(({ kernel }) => kernel.name),
    ["matmulMatrix+epilogue"],
  );
  const [after] = await checkKernel(
    "epilogue of a convolution",
    (x, w, bias) => ops.silu(ops.add(ops.conv2d(x, w, { padding: [1, 1] }), bias)),
    [floats([2, 5, 6, 6]), floats([7, 5, 3, 3], 2), floats([1, 7, 1, 1], 3)],
    tolerances.sum,
    metal,
  );
  assert.is(after.dispatches.at(-1)?.kernel.name, "conv2dMatrix+epilogue");
});

test("factors of f16 only serve operands that are both kept in f16, those of f32 all", () => {
  const [f32, f16] = [matrices("f32", [8, 8, 8]), matrices("f16", [16, 16, 16])];
  const chosen = (storages: readonly MatrixShape["factors"][], traits: object, ...uses: MatrixUse[]) =>
    matricesFor(
      uses,
      storages.map((storage) => ({ storage })),
      { software: false, f16: true, subgroupMaxSize: 32, maxInvocations: 256, ...traits } as never,
    );
  assert.is(chosen(["f16", "f16"], { matrices: [f32, f16] }), f16);
  assert.is(chosen(["f16", "f32"], { matrices: [f32, f16] }), f32);
  assert.is(chosen(["f16", "f32"], { matrices: [f16] }), undefined);
  assert.is(chosen(["f32", "f32"], { matrices: [f16] }), undefined);
  assert.is(chosen(["f16", "f16"], { matrices: [f32] }), f32);
  // Without shader-f16 nothing is kept in it.
  assert.is(chosen(["f16", "f16"], { matrices: [f16], f16: false }), undefined);
  assert.is(chosen(["f32", "f32"], { matrices: [f32], subgroupMaxSize: 128 }), undefined);
  assert.is(chosen(["f32", "f32"], { matrices: [f32], software: true }), undefined);
  // What failed at a kernel's trial is not used for it.
  const products = { ...f16, uses: ["products"] as const };
  assert.is(chosen(["f16", "f16"], { matrices: [f32, products] }, "products"), products);
  assert.is(chosen(["f16", "f16"], { matrices: [f32, products] }, "products", "convolutions"), f32);
});

test("the variant is refused by name where the adapter has no subgroup matrices", async () => {
  const options = { variants: forced, traits: { software: false, matrices: [] } };
  const refused = (build: Parameters<typeof checkKernel>[1], ...inputs: Shape[]) =>
    checkKernel(
      "refused",
      build,
      inputs.map((shape) => floats(shape)),
      tolerances.sum,
      options,
    ).then(
      () => "",
      ({ message }: Error) => message,
    );
  assert.match(
    await refused((a, b) => ops.matmul(a, b), [4, 5], [5, 6]),
    /^Cannot run matmul with variant "matrices": .+ it needs a GPU with subgroup matrices/,
  );
  assert.match(
    await refused((x, w) => ops.conv2d(x, w, { padding: [1, 1] }), [1, 2, 4, 4], [3, 2, 3, 3]),
    /^Cannot run conv2d with variant "matrices": .+ it needs a GPU with subgroup matrices/,
  );
});

test("as it is, on the adapter's own subgroup matrices", async () => {
  const options = { matrices: true, variants: forced, traits: { software: false } };
  const { traits } = await testBackend(options);
  if (traits.matrices.length === 0)
    return console.log(`not run: no subgroup matrices on ${traits.name}, ${traits.matricesProblem}`);
  for (const shape of traits.matrices) {
    console.log(`on ${traits.name}: ${describeMatrices(shape)}`);
    const run = check.bind(undefined, options, shape.factors);
    await run([1, 2, 1]);
    for (const size of [
      [7, 13, 11],
      [33, 17, 65],
      [130, 100, 70],
    ] as const)
      await run(size, [[], []], allTransposes);
    await run([5, 700, 66]);
    const has = (use: MatrixUse) => shape.uses.includes(use) || console.log(`not run: ${traits.matricesProblem}`);
    if (has("convolutions"))
      for (const [x, w, geometry] of convolutions) await checkConvolutions(options, shape.factors, x, w, geometry);
    if (has("attention")) for (const size of attentions) await checkAttention(options, shape.factors, size);
    await run(
      [3, 5, 2],
      [
        [2, 1, 3, 1, 2],
        [1, 2, 1, 3, 1],
      ],
      allTransposes,
    );
  }
});

test.run();
