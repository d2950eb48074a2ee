import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { type Lowering, WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { OnestepError } from "../../../core/errors.ts";
import { type Program, program } from "../../../core/graph/mod.ts";
import type { Backend } from "../../../core/interfaces/backend.ts";
import * as ops from "../../../core/ops/mod.ts";
import { closeTestBackends, compare, testBackend, tolerances } from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/backend");
test.after(closeTestBackends);

/** The catalogued error that `run` throws or rejects with. */
async function thrown(run: () => unknown): Promise<OnestepError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof OnestepError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** A step with random numbers, an odd-sized state updated in place, a copy into another state, and two outputs. */
function stepProgram(): Program {
  const [w, old] = [ops.state("w", [77]), ops.state("old", [77])];
  const key = ops.input("key", [3], "i32");
  const rate = ops.input("rate", []);
  const noise = ops.random(key, { distribution: "normal", stream: 3, shape: [77] });
  const next = ops.sub(w, ops.mul(rate, ops.add(ops.sin(w), noise)));
  const rows = ops.concat([ops.reshape(next, [7, 11]), ops.reshape(old, [7, 11])], 1);
  return program({
    name: "step",
    outputs: { rows, first: ops.slice(next, { axis: 0, start: 3, end: 4 }) },
    updates: [
      [w, next],
      [old, w],
    ],
  });
}

async function train(backend: Backend, steps: number) {
  const memory = backend.createMemory();
  for (const name of ["w", "old"]) memory.allocate(name, 77);
  memory.write(
    "w",
    Float32Array.from({ length: 77 }, (_, i) => Math.cos(i)),
  );
  const run = await backend.compile(stepProgram(), memory);
  const firsts: number[] = [];
  for (let step = 0; step < steps; step++) {
    await run.run({ key: Int32Array.of(5, 0, step), rate: Float32Array.of(0.05) });
    firsts.push((await run.read("first"))[0]);
  }
  const result = { firsts, rows: await run.read("rows"), w: await memory.read("w") };
  run.dispose();
  memory.dispose();
  return result;
}

test("a program with random numbers, copies and updates gives the reference's numbers", async () => {
  const expected = await train(new ReferenceBackend(), 20);
  const actual = await train(await testBackend(), 20);
  const { sum } = tolerances;
  compare("first", actual.firsts, expected.firsts, sum);
  compare("rows", actual.rows, expected.rows, sum);
  compare("w", actual.w, expected.w, sum);
});

test("two runs from the same start give the same bits", async () => {
  const backend = await testBackend();
  const [a, b] = [await train(backend, 10), await train(backend, 10)];
  assert.equal(new Uint32Array(a.w.buffer), new Uint32Array(b.w.buffer));
  assert.equal(a.firsts, b.firsts);
});

test("runs are paced by fences where the adapter is no software", async () => {
  const expected = await train(await testBackend(), 10);
  const actual = await train(await testBackend({ traits: { software: false } }), 10);
  assert.equal(actual.firsts, expected.firsts);
});

test("200 runs keep live bytes, bind groups and buffers constant, and free all at the end", async () => {
  const backend = await testBackend();
  const before = backend.liveBytes;
  const memory = backend.createMemory();
  for (const name of ["w", "old"]) memory.allocate(name, 77);
  const run = await backend.compile(stepProgram(), memory);
  const step = async (i: number) => {
    await run.run({ key: Int32Array.of(5, 0, i), rate: Float32Array.of(0.05) });
    await run.read("first");
  };
  for (let i = 0; i < 5; i++) await step(i);
  const [bytes, stats] = [backend.liveBytes, run.stats];
  for (let i = 5; i < 205; i++) await step(i);
  assert.is(backend.liveBytes, bytes);
  assert.is(run.stats.bindGroups, stats.bindGroups);
  assert.is(run.stats.buffers, stats.buffers);
  assert.is(run.stats.submits - stats.submits, 200);
  run.dispose();
  memory.dispose();
  // What is left over is the ring of staging buffers, for all programs to come.
  assert.ok(backend.liveBytes - before <= 4096, `${backend.liveBytes - before} bytes`);
});

test("read gives the value of its own run, also when the next runs are under way", async () => {
  const backend = await testBackend();
  const memory = backend.createMemory();
  memory.allocate("n", 1);
  const n = ops.state("n", [1]);
  const next = ops.add(n, 1);
  const count = program({ name: "count", outputs: { next }, updates: [[n, next]] });
  const run = await backend.compile(count, memory);
  const reads: Promise<ArrayLike<number>>[] = [];
  for (let i = 0; i < 20; i++) {
    void run.run();
    reads.push(run.read("next"));
  }
  const values = (await Promise.all(reads)).map((list) => list[0]);
  assert.equal(
    values,
    values.map((_, i) => i + 1),
  );
  assert.is((await memory.read("n"))[0], 20);
  run.dispose();
  memory.dispose();
});

test("states may be allocated after compile, and moved; missing and wrong ones are named", async () => {
  const backend = await testBackend();
  const memory = backend.createMemory();
  const a = ops.state("a", [3]);
  const twice = program({ name: "twice", outputs: { y: ops.mul(a, 2) } });
  const run = await backend.compile(twice, memory);
  const missing = await thrown(() => run.run());
  assert.is(missing.message, 'Cannot find state "a": the memory holds none');
  memory.allocate("a", 4);
  const wrong = await thrown(() => run.run());
  assert.match(wrong.message, 'state "a" holds 4 f32, expected 3 f32');
  memory.allocate("a", 3);
  memory.write("a", Float32Array.of(1, 2, 3));
  await run.run();
  assert.equal([...(await run.read("y"))], [2, 4, 6]);
  assert.match((await thrown(() => memory.write("a", new Float32Array(2)))).message, "2 elements");
  run.dispose();
  memory.dispose();
});

test("inputs of the wrong length, or none, are refused before anything runs", async () => {
  const backend = await testBackend();
  const memory = backend.createMemory();
  const copy = program({ name: "copy", outputs: { y: ops.neg(ops.input("x", [2])) } });
  const run = await backend.compile(copy, memory);
  for (const [inputs, text] of [
    [{}, 'input "x" has no elements, expected 2'],
    [{ x: new Float32Array(3) }, 'input "x" has 3 elements, expected 2'],
  ] as const) {
    const error = await thrown(() => run.run(inputs));
    assert.is(error.code, "E_SHAPE");
    assert.match(error.message, text);
  }
  assert.is(run.stats.submits, 0);
  run.dispose();
  memory.dispose();
});

test("a broken kernel is reported with its name, line and the compiler's text", async () => {
  const text = [
    "// transpose: broken on purpose.",
    "@group(0) @binding(0) var<storage, read> x: array<f32>;",
    "@group(0) @binding(1) var<storage, read_write> y: array<f32>;",
    "@compute @workgroup_size(1) fn main() {",
    "  y[0] = x[0] + nonsense;",
    "}",
  ].join("\n");
  const broken: Lowering = {
    op: "transpose",
    variants: [
      {
        name: "broken",
        supports: () => true,
        plan: () => ({ passes: [{ kernel: "transpose", dims: {}, workgroups: [1, 1, 1] }] }),
      },
    ],
  };
  const backend = await WebGpuBackend.open({
    kernels: { transpose: text },
    lowerings: [broken],
    variants: { transpose: "broken" },
  });
  const y = ops.transpose(ops.input("x", [2, 3]));
  const error = await thrown(() => backend.compile(program({ name: "p", outputs: { y } }), backend.createMemory()));
  assert.is(error.code, "E_KERNEL");
  assert.is((error as { kernel?: string }).kernel, "transpose");
  assert.is((error as { line?: number }).line, 5);
  assert.match(error.message, /^Cannot compile transpose \(line 5\): [\s\S]*nonsense/);
  // The device is none the worse for it.
  const memory = backend.createMemory();
  const fine = await backend.compile(program({ name: "fine", outputs: { y: ops.neg(ops.input("x", [1])) } }), memory);
  await fine.run({ x: Float32Array.of(2) });
  assert.is((await fine.read("y"))[0], -2);
  await backend.close();
});

test("a tensor beyond the device's limits is refused before anything is allocated", async () => {
  const backend = await WebGpuBackend.open({ traits: { maxBinding: 1024, maxBuffer: 65536 } });
  const memory = backend.createMemory();
  const x = ops.input("x", [32, 32]);
  const y = ops.transpose(x);
  const before = backend.liveBytes;
  const binding = await thrown(() => backend.compile(program({ name: "t", outputs: { y } }), memory));
  assert.is(binding.code, "E_DEVICE_LIMIT");
  assert.is(
    binding.message,
    `Cannot compile t: input "x" [32, 32] needs 4 KiB in one binding, ${backend.info.name} allows 1 KiB`,
  );
  const big = ops.exp(ops.input("x", [256, 256]));
  const buffer = await thrown(() =>
    backend.compile(program({ name: "b", outputs: { y: ops.exp(ops.concat([big, big], 0)) } }), memory),
  );
  assert.match(buffer.message, /concat \[512, 256\] needs 512 KiB in one buffer|in one b/);
  assert.is(backend.liveBytes, before);
  assert.match((await thrown(() => memory.allocate("s", 99_999))).message, 'Cannot allocate state "s"');
  await backend.close();
});

test("unknown variants are refused when the backend is opened", async () => {
  const wrongOp = await thrown(() => WebGpuBackend.open({ variants: { transpos: "perElement" } }));
  assert.match(wrongOp.message, 'it is not an op with kernels, did you mean "transpose"?');
  const wrong = await thrown(() => WebGpuBackend.open({ variants: { transpose: "perElemnt" } }));
  assert.match(wrong.message, 'expected one of perElement, did you mean "perElement"?');
});

test("a lost device ends every later call, and a closed backend too", async () => {
  const lost: string[] = [];
  const backend = await WebGpuBackend.open({ onLost: (error) => lost.push(error.code) });
  const memory = backend.createMemory();
  memory.allocate("a", 3);
  const run = await backend.compile(program({ name: "neg", outputs: { y: ops.neg(ops.state("a", [3])) } }), memory);
  await run.run();
  backend.device.destroy();
  await backend.device.lost;
  const read = await thrown(() => run.read("y"));
  assert.is(read.code, "E_DEVICE_LOST");
  assert.is((await thrown(() => run.run())).code, "E_DEVICE_LOST");
  assert.is((await thrown(() => backend.finish())).code, "E_DEVICE_LOST");
  assert.equal(lost, ["E_DEVICE_LOST"]);
  await backend.close();
  await backend.close();
  assert.is((await thrown(() => backend.finish())).code, "E_DISPOSED");
  assert.is(backend.liveBytes, 0);
});

test("an empty tensor needs no dispatch", async () => {
  const backend = await testBackend();
  const memory = backend.createMemory();
  const x = ops.input("x", [0, 4]);
  const run = await backend.compile(
    program({ name: "empty", outputs: { y: ops.exp(x), z: ops.transpose(x) } }),
    memory,
  );
  await run.run({ x: new Float32Array(0) });
  assert.is(run.dispatches.length, 0);
  assert.is((await run.read("y")).length, 0);
  run.dispose();
  memory.dispose();
});

test.run();
