import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KernelLibrary } from "../../../backends/webgpu/kernelSource.ts";
import { describeMatrices, type MatrixShape, withMatrices } from "../../../backends/webgpu/subgroupMatrices.ts";

const test = suite("backends/webgpu/subgroupMatrices");

const matmulMatrix = new KernelLibrary().get("matmulMatrix").code;
const f32: MatrixShape = { factors: "f32", M: 8, N: 8, K: 8, layout: "template" };
const f16: MatrixShape = { factors: "f16", M: 8, N: 16, K: 4, layout: "argument" };

test("a kernel gets sizes and type, and keeps its lines", () => {
  const text = withMatrices(matmulMatrix, f16);
  assert.match(text, "const MATRIX_M = 8u;\nconst MATRIX_N = 16u;\nconst MATRIX_K = 4u;\nalias Element = f16;\n");
  assert.match(text, /^enable f16; \/\/ matmulMatrix: /);
  assert.is(text.split("\n").length, matmulMatrix.split("\n").length);
  assert.is(withMatrices(matmulMatrix, f32), matmulMatrix);
});

test("loads and stores take their layout as an argument where a device wants it so", () => {
  const text = withMatrices(matmulMatrix, { ...f32, layout: "argument" });
  const calls = text.match(/subgroupMatrix(Load|Store).+;/g);
  assert.equal(calls, [
    "subgroupMatrixLoad<Right>(&columns, d * TILE + side + j * MATRIX_N, false, TILE);",
    "subgroupMatrixLoad<Left>(&rows, (top + i * MATRIX_M) * DEPTH + d, false, DEPTH);",
    "subgroupMatrixStore(&stripes, at, sums[i * COLUMNS + j], false, SIDE);",
  ]);
  const turned = new KernelLibrary().get("conv2dMatrix", { ...f32, layout: "argument" }).code;
  assert.match(turned, "subgroupMatrixLoad<Right>(&columns, n * QUADS + d / 4u, true, QUADS);");
});

test("a kernel without the constants is refused", () => {
  assert.throws(() => withMatrices("fn main() {}", f32), /declares const MATRIX_M = 8u;/);
});

test("a library keeps one source for each shape, and keeps operands in f16 in any", () => {
  const library = new KernelLibrary();
  const kernel = library.get("matmulMatrix", f16);
  assert.is(library.get("matmulMatrix", { ...f16 }), kernel);
  assert.is.not(library.get("matmulMatrix", f32), kernel);
  const halved = library.halved(kernel, ["a", "b"]);
  assert.match(halved.code, "a: array<f16>");
  assert.match(halved.code, "Element(select(0.0, f32(a[at_a]), k + ka < end))");
  assert.match(library.get("conv2dMatrix", f16).code, "enable f16; // conv2dMatrix: ");
  const joined = library.fromText("joined", kernel.text, kernel.matrices);
  assert.match(joined.code, "alias Element = f16;");
  assert.is(library.fromText("joined", kernel.text, { ...f16 }), joined);
  assert.is.not(library.fromText("joined", kernel.text, f32), joined);
});

test("names for people", () => {
  assert.is(describeMatrices(f32), "8x8x8 f32");
  assert.is(describeMatrices(f16), "8x16x4 f16→f32");
});

test.run();
