// A header nobody checks will lie: every kernel's is parsed, and held to its bindings and to its op's signature.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseDims } from "../../../backends/webgpu/dims.ts";
import {
  type Binding,
  headerLabels,
  optionalLabels,
  parseBindings,
  parseHeader,
  usedLibraries,
} from "../../../backends/webgpu/header.ts";
import { lowerings } from "../../../backends/webgpu/kernels/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { parseSignature } from "../../../core/ops/signature.ts";
import type { OpSpec } from "../../../core/tensor/mod.ts";

const test = suite("backends/webgpu/header");

// Tests run in the project's folder.
const folder = "wgsl";
const read = (path: string) => readFileSync(join(folder, path), "utf8");
const kernels = readdirSync(folder).filter((file) => file.endsWith(".wgsl"));
const libraries = readdirSync(join(folder, "lib")).filter((file) => file.endsWith(".wgsl"));

const specs = new Map(
  Object.values(ops)
    .filter((op): op is typeof op & { spec: OpSpec } => "spec" in (op as object))
    .map(({ spec }) => [spec.name, spec]),
);

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

for (const file of kernels) {
  const source = read(file);
  const stem = basename(file, ".wgsl");

  test(`${file}: the header says name, equation, and every label in order`, () => {
    const header = parseHeader(source);
    assert.is(header.name, stem);
    assert.match(header.sentence, /\.$/, "a sentence ends with a full stop");
    assert.ok(header.equation.length > 0, "an equation");
    const labels = header.fields.map(({ label }) => label);
    const order = labels.map((label) => headerLabels.indexOf(label as never));
    assert.equal(
      order,
      [...order].sort((a, b) => a - b),
      `order of ${labels.join(", ")}`,
    );
    for (const label of headerLabels)
      if (!optionalLabels.includes(label)) assert.ok(labels.includes(label), `no line "${label}"`);
    for (const { label, text } of header.fields) assert.ok(text, `${label} is empty`);
    for (const library of usedLibraries(source))
      assert.ok(libraries.includes(`${library}.wgsl`), `lib/${library} does not exist`);
    const oracle = header.fields.find(({ label }) => label === "oracle")?.text ?? "";
    const [path] = oracle.split(" ");
    const shared = oracle.startsWith("none of its own");
    assert.ok(shared || existsSync(path), `the oracle ${path} does not exist`);
  });

  test(`${file}: bindings are inputs, output, Dims, in group 0`, () => {
    const bindings = parseBindings(source);
    bindings.forEach(({ group, index }, i) => {
      assert.is(group, 0);
      assert.is(index, i);
    });
    const last = bindings[bindings.length - 1];
    assert.equal([last.access, last.type], ["uniform", "Dims"]);
    assert.ok(parseDims(source), "a struct Dims");
    const storage = bindings.slice(0, -1);
    const written = storage.map(({ access }) => access === "read_write");
    assert.equal(written, [...written].sort(), "what is written comes after what is read");
    const spec = specs.get(stem);
    // Kernels of repacked operands bind copies in another layout, under names of their own.
    const direct = spec?.kind === "kernel" && !storage.some(({ type }) => type.includes("vec4"));
    if (direct) assert.equal(names(storage), signatureNames(spec));
  });
}

const names = (bindings: readonly Binding[]) => bindings.map(({ name }) => name);

function signatureNames({ signature }: OpSpec): string[] {
  const { inputs, output } = parseSignature(signature);
  return [...inputs, output].map(({ name }) => snake(name));
}

for (const file of libraries)
  test(`lib/${file}: the first line names it, and it declares no resources`, () => {
    const source = read(join("lib", file));
    assert.is(parseHeader(source).name, basename(file, ".wgsl"));
    assert.equal(parseBindings(source), []);
  });

test("every kernel op of core/ops has a lowering, and a last variant for every device", () => {
  const compiled = [...specs.values()].filter(({ kind, name }) => kind === "kernel" && name !== "pack");
  const lowered = lowerings.map(({ op }) => op);
  assert.equal(
    compiled.map(({ name }) => name).filter((name) => !lowered.includes(name)),
    [],
  );
  for (const { op, variants } of lowerings) {
    assert.ok(specs.has(op), `${op} is no op`);
    assert.is(new Set(variants.map(({ name }) => name)).size, variants.length);
  }
});

test("a header with labels out of order, or none, is seen", () => {
  const header = parseHeader("// a: b.\n//   y = x\n// shapes x\n//   more\n// oracle o\n\nlet");
  assert.equal(header.equation, ["y = x"]);
  assert.equal(header.fields, [
    { label: "shapes", text: "x more" },
    { label: "oracle", text: "o" },
  ]);
  assert.throws(() => parseHeader("@compute fn main() {}"), /a kernel starts with/);
});

test.run();
