import { suite } from "uvu";
import * as assert from "uvu/assert";
import { withHalfStorage } from "../../../backends/webgpu/halfStorage.ts";
import { KernelLibrary } from "../../../backends/webgpu/kernelSource.ts";
import { Pipelines } from "../../../backends/webgpu/pipelines.ts";
import * as generated from "../../../wgsl/generated.ts";
import { emulatedMatrices } from "../../helpers/emulatedMatrices.ts";
import { closeTestBackends, testBackend } from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/halfStorage");
test.after(closeTestBackends);

const kernel = (x: string, y: string, body: string) =>
  [
    `@group(0) @binding(0) var<storage, read> x: array<${x}>;`,
    `@group(0) @binding(1) var<storage, read_write> y: array<${y}>;`,
    body,
  ].join("\n");
/** What becomes of a line of a kernel. */
const line = (type: string, body: string, names = ["x", "y"]) =>
  withHalfStorage(kernel(type, type, body), names).split("\n")[2];

test("elements are f32 where they are read and f16 where they are written", () => {
  assert.is(line("f32", "y[i] = x[i + 1u] * 2.0;"), "y[i] = f16(f32(x[i + 1u]) * 2.0);");
  assert.is(line("vec4f", "y[i] = x[i];"), "y[i] = vec4<f16>(vec4f(x[i]));");
  assert.is(line("f32", "y[i] += x[i];"), "y[i] = f16(f32(y[i]) + (f32(x[i])));");
  assert.is(line("f32", "if (x[i] == y[j]) {"), "if (f32(x[i]) == f32(y[j])) {");
});

test("kernels that move bits see the bits of an f32", () => {
  assert.is(line("u32", "y[i] = x[j];"), "y[i] = f16(bitcast<f32>(bitcast<u32>(f32(x[j]))));");
});

test("indices are converted as well, whatever brackets are in them", () => {
  assert.is(line("f32", "let v = x[u32(x[a[i]])];", ["x"]), "let v = f32(x[u32(f32(x[a[i]]))]);");
});

test("members, other names and comments stay as they are", () => {
  const text = "let v = p.x[i] + xx[i] + x_[i]; // x[i]";
  assert.is(line("f32", text), text);
});

test("only the bindings named are converted, and lines keep their numbers", () => {
  const source = kernel("f32", "vec4f", "y[i] = vec4f(x[i]);");
  const half = withHalfStorage(source, ["x"]);
  assert.match(half, /^enable f16; @group/);
  assert.match(half, "x: array<f16>;");
  assert.match(half, "y: array<vec4f>;");
  assert.is(half.split("\n").length, source.split("\n").length);
  assert.is(withHalfStorage(source, []), source);
});

test("every kernel of wgsl/ compiles with all its floats in f16", async () => {
  const { device, traits } = await testBackend();
  if (!traits.f16) return console.log(`${traits.name} has no shader-f16: not compiled`);
  const pipelines = new Pipelines(device);
  // Few devices have subgroup matrices.
  const library = new KernelLibrary(emulatedMatrices());
  for (const name of Object.keys(generated).filter((each) => !each.startsWith("lib_"))) {
    const source = library.get(name);
    const floats = source.bindings.filter(({ access, type }) => access !== "uniform" && type !== "array<i32>");
    const half = library.halved(
      source,
      floats.map((binding) => binding.name),
    );
    await pipelines.get(half);
  }
});

test.run();
