import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { OnestepError } from "../../../core/errors.ts";
import { grad, program } from "../../../core/graph/mod.ts";
import type { HostArray } from "../../../core/interfaces/backend.ts";
import * as ops from "../../../core/ops/mod.ts";
import { keyOf } from "../../../core/random/philox.ts";
import { bundle, deno, run } from "../webgpu/adapter/child.ts";

const test = suite("backends/wasm/backend");

/** One training step of a small network with noise from a key; state "theta". */
function trainingStep() {
  const theta = ops.state("theta", [64 * 64 + 64]);
  const weight = ops.view(theta, { offset: 0, shape: [64, 64] });
  const bias = ops.view(theta, { offset: 64 * 64, shape: [64] });
  const key = ops.input("key", [3], "i32");
  const x = ops.random(key, { distribution: "normal", stream: 0, shape: [96, 64] });
  const y = ops.silu(ops.add(ops.matmul(x, weight, { transB: true }), bias));
  const loss = ops.mean(ops.square(ops.sub(y, ops.sin(x))));
  const gradient = ops.pack(grad(loss, [weight, bias]), [0, 64 * 64], 64 * 64 + 64);
  const next = ops.sub(theta, ops.mul(gradient, 0.5));
  return program({ name: "training step", outputs: { loss }, updates: [[theta, next]] });
}

/** Trains for some steps; returns the losses and the final state. */
async function train(backend: WasmBackend, steps: number): Promise<HostArray[]> {
  const step = trainingStep();
  const memory = backend.createMemory();
  memory.allocate("theta", 64 * 64 + 64);
  memory.write(
    "theta",
    Float32Array.from({ length: 64 * 64 + 64 }, (_, i) => Math.sin(i) / 8),
  );
  const executable = await backend.compile(step, memory);
  const losses = new Float32Array(steps);
  for (let i = 0; i < steps; i++) {
    await executable.run({ key: keyOf(7, i) });
    losses[i] = (await executable.read("loss"))[0];
  }
  const state = await memory.read("theta");
  executable.dispose();
  memory.dispose();
  return [losses, state];
}

test("a run gives the same bits on any number of threads, every time", async () => {
  const results: HostArray[][] = [];
  for (const threads of [1, 2, 2, 3, 5]) {
    const backend = await WasmBackend.open({ threads });
    results.push(await train(backend, 30));
    await backend.close();
  }
  const [first, ...others] = results;
  assert.ok(first[0][29] < first[0][0], `loss ${first[0][29]}`);
  for (const other of others) assert.equal(other, first);
});

test("without shared memory it works on one thread, with the same bits", async () => {
  const [one, plain] = await Promise.all([
    WasmBackend.open({ threads: 1 }),
    WasmBackend.open({ threads: 4, shared: false }),
  ]);
  assert.is(plain.threads, 1);
  assert.equal(await train(plain, 10), await train(one, 10));
  await Promise.all([one.close(), plain.close()]);
});

test("200 runs leave no bytes behind, and dispose gives all back", async () => {
  const backend = await WasmBackend.open({ threads: 2 });
  const before = backend.liveBytes;
  const memory = backend.createMemory();
  memory.allocate("theta", 64 * 64 + 64);
  const executable = await backend.compile(trainingStep(), memory);
  await executable.run({ key: keyOf(1, 0) });
  const during = backend.liveBytes;
  assert.ok(during > before);
  for (let i = 0; i < 200; i++) {
    await executable.run({ key: keyOf(1, i) });
    await executable.read("loss");
    await memory.read("theta");
  }
  assert.is(backend.liveBytes, during);
  executable.dispose();
  executable.dispose();
  assert.is(backend.liveBytes, memory.bytes);
  memory.dispose();
  assert.is(backend.liveBytes, before);
  for (let i = 0; i < 50; i++) await train(backend, 1);
  assert.is(backend.liveBytes, before);
  await backend.close();
});

test("runs let timers through", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  const memory = backend.createMemory();
  const x = ops.input("x", [1000]);
  const executable = await backend.compile(program({ name: "sine", outputs: { y: ops.sin(x) } }), memory);
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 0);
  const start = performance.now();
  while (!fired && performance.now() - start < 5000) await executable.run({ x: new Float32Array(1000) });
  assert.ok(fired);
  await backend.close();
});

test("states keep their contents when allocated again, and refuse a wrong length", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  const memory = backend.createMemory();
  memory.allocate("a", 3);
  memory.write("a", Float32Array.of(1, 2, 3));
  memory.allocate("a", 3);
  assert.equal([...(await memory.read("a"))], [1, 2, 3]);
  memory.allocate("labels", 2, "i32");
  memory.write("labels", Int32Array.of(-1, 5));
  assert.equal(await memory.read("labels"), Int32Array.of(-1, 5));
  assert.equal(memory.names(), ["a", "labels"]);
  assert.throws(() => memory.write("a", new Float32Array(4)), /4 elements, expected 3/);
  await backend.close();
});

const fails = async (make: () => Promise<unknown>, code: string, text: RegExp) => {
  try {
    await make();
  } catch (error) {
    assert.instance(error, OnestepError);
    assert.is((error as OnestepError).code, code);
    assert.match((error as Error).message, text);
    return;
  }
  assert.unreachable(`expected ${code}`);
};

test("what cannot work is refused with a code", async () => {
  await fails(() => WasmBackend.open({ threads: 0 }), "E_OPTION", /threads must be/);
  const backend = await WasmBackend.open({ threads: 1 });
  const memory = backend.createMemory();
  const x = ops.input("x", [4]);
  const run = await backend.compile(program({ name: "p", outputs: { y: ops.exp(x) } }), memory);
  await fails(() => run.run({}), "E_SHAPE", /input "x" has no elements, expected 4/);
  await fails(() => run.run({ x: new Float32Array(3) }), "E_SHAPE", /has 3 elements/);
  const w = ops.state("w", [4]);
  const withState = program({ name: "q", updates: [[w, ops.exp(w)]] });
  await fails(() => backend.compile(withState, memory), "E_SHAPE", /Cannot find state "w"/);
  memory.allocate("w", 5);
  await fails(() => backend.compile(withState, memory), "E_SHAPE", /has 5 elements/);
  await backend.close();
});

test("options that are not what they should be are refused by name", async () => {
  const wrong: [object, string, RegExp][] = [
    [{ wide: "nonsense" }, "E_OPTION", /wide must be one of true, false, always, current value is "nonsense"$/],
    [{ wide: 1 }, "E_OPTION", /wide must be .* current value is 1$/],
    [{ memory64: "yes" }, "E_OPTION", /memory64 must be true or false, current value is "yes"$/],
    [{ thread: 2 }, "E_OPTION", /thread must be a function, current value is 2$/],
    [{ threads: 0 }, "E_OPTION", /threads must be a whole number in \[1, 1024\], current value is 0$/],
    [{ treads: 2 }, "E_UNKNOWN_OPTION", /"treads" is not one of .*, did you mean "threads"\?$/],
  ];
  for (const [options, code, message] of wrong)
    await fails(
      () => WasmBackend.open(options),
      code,
      new RegExp(`^Cannot configure the wasm backend: .*${message.source}`),
    );
  await fails(
    () => WasmBackend.open("fast" as never),
    "E_OPTION",
    /must be an object of options, current value is "fast"/,
  );
});

test("a program larger than the memory is refused, and leaves nothing behind", async () => {
  const backend = await WasmBackend.open({ threads: 1, memory64: false });
  const memory = backend.createMemory();
  const before = backend.liveBytes;
  const scalar = ops.input("x", []);
  const part = (value: number) =>
    ops.sum(ops.softmax(ops.broadcastTo(ops.add(scalar, value), { shape: [40_000, 20_000] })));
  const huge = program({ name: "huge", outputs: { y: ops.add(part(1), part(2)) } });
  await fails(() => backend.compile(huge, memory), "E_DEVICE_LIMIT", /ends at 4096.0 MiB/);
  assert.is(backend.liveBytes, before);
  await backend.close();
});

const source = (ending: string) => `
import { WasmBackend } from "./wasm/mod.ts";
import { program } from "../core/graph/mod.ts";
import * as ops from "../core/ops/mod.ts";
const backend = await WasmBackend.open({ threads: 2 });
const memory = backend.createMemory();
memory.allocate("a", 1_000_000);
const a = ops.state("a", [1_000_000]);
const next = ops.add(ops.sin(a), 1);
const grow = program({ name: "grow", outputs: { next }, updates: [[a, next]] });
const step = await backend.compile(grow, memory);
for (let i = 0; i < 5; i++) await step.run();
const start = performance.now();
// A busy machine may start the worker late.
while (!backend.chunksByWorkers && performance.now() - start < 30_000) {
  await step.run();
  await new Promise((done) => setTimeout(done, 1));
}
const [last] = (await step.read("next")).slice(-1);
console.log(\`\${backend.threads} threads: \${last.toFixed(1)}, workers \${backend.chunksByWorkers > 0}\`);
${ending}
`;
const endings: Record<string, [source: string, code: number]> = {
  "returns after close": ["await backend.close();", 0],
  "returns without close": ["", 0],
  "returns while the threads sleep": ["await new Promise((done) => setTimeout(done, 300));", 0],
  throws: ["throw new Error('on purpose');", 1],
  exits: ["process.exit(3);", 3],
};
for (const [name, [ending, code]] of Object.entries(endings))
  test(`a process that ${name} ends by itself with code ${code}`, async () => {
    const ended = await run(process.execPath, [await bundle(source(ending))]);
    assert.is(ended.signal, null, ended.stderr);
    assert.is(ended.code, code, ended.stderr);
    assert.ok(/2 threads: 1.9, workers true/.test(ended.stdout), JSON.stringify(ended));
  });

test("a process waits for functions that V8 compiles at once", async () => {
  const all = ["--no-liftoff", "--no-wasm-lazy-compilation"];
  const ended = await run(process.execPath, [...all, await bundle(source("await backend.close();"))]);
  assert.is(ended.code, 0, ended.stderr);
});

test("wide tiles may be asked for after kernels were compiled without, and by several at once", async () => {
  const late = `
import { WasmBackend } from "./wasm/mod.ts";
import { program } from "../core/graph/mod.ts";
import * as ops from "../core/ops/mod.ts";
const x = ops.input("x", [4, 32, 16, 16]);
const weight = ops.constantArray(Float32Array.from({ length: 9216 }, (_, i) => Math.sin(i)), [32, 32, 3, 3]);
const convolve = program({ name: "convolve", outputs: { y: ops.conv2d(x, weight, { padding: [1, 1] }) } });
const bits = new Set();
async function use(options) {
  const backend = await WasmBackend.open(options);
  const executable = await backend.compile(convolve, backend.createMemory());
  for (let i = 0; i < 20; i++) await executable.run({ x: new Float32Array(32768).map((_, i) => Math.cos(i)) });
  bits.add(String(new Int32Array((await executable.read("y")).buffer)));
  await backend.close();
}
for (let i = 0; i < 8; i++) await use({ wide: i % 2 ? true : undefined, threads: 1 + (i % 3) });
await Promise.all([1, 2, 3].map((threads) => use({ wide: true, threads })));
console.log(bits.size + " kinds of bits");
`;
  const ended = await run(process.execPath, [await bundle(late)]);
  assert.is(ended.signal, null, ended.stderr);
  assert.is(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, /^1 kinds of bits$/m);
});

if (deno)
  test("it runs in Deno, with threads", async () => {
    const ended = await run(deno!, ["run", "-A", await bundle(source(""))]);
    assert.is(ended.signal, null, ended.stderr);
    assert.is(ended.code, 0, ended.stderr);
    assert.ok(/2 threads: 1.9, workers true/.test(ended.stdout), JSON.stringify(ended));
  });

test.run();
