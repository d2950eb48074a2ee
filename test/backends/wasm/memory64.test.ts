import { freemem } from "node:os";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasMemory64, hasRelaxedSimd } from "../../../backends/wasm/kernelModule.ts";
import { LinearMemory } from "../../../backends/wasm/linearMemory.ts";
import { memoryLimit } from "../../../backends/wasm/memoryLimit.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { OnestepError } from "../../../core/errors.ts";
import { program } from "../../../core/graph/mod.ts";
import type { Executable, HostArray } from "../../../core/interfaces/backend.ts";
import * as ops from "../../../core/ops/mod.ts";
import { keyOf } from "../../../core/random/philox.ts";

const test = suite("backends/wasm/memory64");
const GIB = 2 ** 30;

/** Tests of memories above 4 GiB; where the engine has none, a line says so. */
const far = hasMemory64() ? test : test.skip;
if (!hasMemory64()) console.log("memory64: this engine has none, so nothing above 4 GiB is tested");

/** y = softmax(normal numbers · state), and the state plus a little of it. */
function mixing(rows: number) {
  const theta = ops.state("theta", [256, 256]);
  const x = ops.random(ops.input("key", [3], "i32"), { distribution: "normal", stream: 0, shape: [rows, 256] });
  const y = ops.softmax(ops.matmul(x, theta));
  const gain = ops.reshape(ops.mean(y, { axes: [0] }), [1, 256]);
  return program({ name: `mixing ${rows}`, outputs: { y }, updates: [[theta, ops.add(theta, gain)]] });
}

/** What a small program and a larger one give in turns, the larger one being compiled in between; and the final state. */
async function alternate(backend: WasmBackend): Promise<HostArray[]> {
  const memory = backend.createMemory();
  memory.allocate("theta", 256 * 256);
  memory.write(
    "theta",
    Float32Array.from({ length: 256 * 256 }, (_, i) => Math.sin(i) / 8),
  );
  const results: HostArray[] = [];
  const run = async (executable: Executable, step: number) => {
    await executable.run({ key: keyOf(3, step) });
    results.push(await executable.read("y"));
  };
  const small = await backend.compile(mixing(64), memory);
  for (let step = 0; step < 3; step++) await run(small, step);
  const large = await backend.compile(mixing(4096), memory);
  for (let step = 3; step < 6; step++) {
    await run(small, step);
    await run(large, step);
  }
  results.push(await memory.read("theta"));
  small.dispose();
  large.dispose();
  memory.dispose();
  return results;
}

/** Leaves room below 4 GiB for the small program, and not for the larger one. */
const nearTheBorder = { memory64: true, first: 4 * GIB - 2 ** 20 };

for (const options of [{ threads: 1 }, { threads: 3 }, { shared: false }])
  far(`states and programs go on above 4 GiB with the same bits, ${JSON.stringify(options)}`, async () => {
    const below = await WasmBackend.open(options);
    const expected = await alternate(below);
    await below.close();
    const backend = await WasmBackend.open({ ...options, ...nearTheBorder });
    assert.equal(await alternate(backend), expected);
    assert.is(backend.liveBytes, 0);
    assert.equal(await alternate(backend), expected, "once more, with the larger memory from the start");
    await backend.close();
  });

far("the device's name tells which tiles run, before and after", async () => {
  const backend = await WasmBackend.open({ threads: 1, wide: "always", ...nearTheBorder });
  assert.match(backend.info.name, /, wide tiles$/);
  assert.is(backend.tiles.wide, true);
  await alternate(backend);
  assert.match(backend.info.name, /SIMD, 64-bit addresses$/);
  assert.equal(backend.tiles, { wide: false, reason: "vectors are not joined where addresses have 64 bits" });
  await backend.close();
});

far("workers compute in the larger memory too", async () => {
  const backend = await WasmBackend.open({ threads: 2, ...nearTheBorder });
  await alternate(backend);
  const before = backend.chunksByWorkers;
  const start = performance.now();
  // A busy machine may start the worker late.
  while (backend.chunksByWorkers === before && performance.now() - start < 30_000) await alternate(backend);
  assert.ok(backend.chunksByWorkers > before);
  await backend.close();
});

far("programs that are compiled at the same time all see the larger memory", async () => {
  const backend = await WasmBackend.open({ threads: 2, ...nearTheBorder });
  const memory = backend.createMemory();
  memory.allocate("theta", 256 * 256);
  const rows = [64, 4096, 128];
  const executables = await Promise.all(rows.map((count) => backend.compile(mixing(count), memory)));
  for (const [i, executable] of executables.entries()) {
    await executable.run({ key: keyOf(1, i) });
    const y = await executable.read("y");
    assert.is(y.length, rows[i] * 256);
    assert.ok(Math.abs(sumOf(y) - rows[i]) < 1e-2 * rows[i]);
  }
  await backend.close();
});

const sumOf = (values: HostArray): number => [...values].reduce((sum, value) => sum + value, 0);

const limitOf = async (make: () => Promise<unknown>): Promise<OnestepError> => {
  try {
    await make();
  } catch (error) {
    assert.instance(error, OnestepError);
    assert.is((error as OnestepError).code, "E_DEVICE_LIMIT");
    return error as OnestepError;
  }
  throw new Error("expected E_DEVICE_LIMIT");
};

test("a tensor with more elements than kernels count to is refused", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  const x = ops.broadcastTo(ops.input("x", []), { shape: [50_000, 50_000] });
  const huge = program({ name: "huge", outputs: { y: ops.softmax(x) } });
  const { message } = await limitOf(() => backend.compile(huge, backend.createMemory()));
  assert.match(message, /Cannot compile huge: .* \[50000, 50000\] has 2500000000 elements, kernels on wasm count to/);
  assert.match((await limitOf(async () => backend.footprint(huge))).message, /kernels on wasm count to/);
  assert.is(backend.liveBytes, 0);
  await backend.close();
});

test("the capacity is the machine's memory where the engine reaches above 4 GiB, at most 16 GiB", async () => {
  const capacityOf = async (memory64?: boolean) => {
    const backend = await WasmBackend.open({ threads: 1, memory64 });
    await backend.close();
    return backend.capacity;
  };
  const small = await capacityOf(false);
  assert.ok(small > 0 && small < 4 * GIB);
  const bytes = await capacityOf();
  if (!hasMemory64()) assert.is(bytes, small);
  else {
    assert.ok(bytes >= small && bytes < 16 * GIB);
    assert.ok((await capacityOf(true)) > 15.9 * GIB);
    assert.is(memoryLimit({ memory: 8 * GIB }, { relaxed: true }).most, 8 * GIB);
    assert.is(memoryLimit({ memory: 64 * GIB }, { relaxed: true }).most, 16 * GIB);
    assert.is(memoryLimit({}, { relaxed: true }).most, 16 * GIB);
  }
});

test("a machine or container with less than 4 GiB is the limit, and the refusal says so", async () => {
  for (const relaxed of [true, false]) {
    const { most, hint } = memoryLimit({ memory: 600 * 2 ** 20 }, { relaxed });
    assert.is(most, 600 * 2 ** 20);
    assert.is(hint, "give it more memory: this machine, or its container, has 600 MiB left");
  }
  const linear = new LinearMemory({ shared: false, most: 600 * 2 ** 20 });
  assert.ok(linear.capacity < 600 * 2 ** 20);
  const { message } = await limitOf(async () => linear.allocate(601 * 2 ** 20));
  assert.match(message, /^Cannot allocate 601.0 MiB: .* ends at 600.0 MiB$/);
});

test("memory64 is refused where it can't be had", () => {
  // Kernels for it have fused multiply-add: without it the bits would change at 4 GiB.
  assert.throws(() => memoryLimit({}, { relaxed: false, memory64: true }), /memory64 is true, and its kernels need/);
  if (!hasMemory64() && hasRelaxedSimd())
    assert.throws(() => memoryLimit({}, { relaxed: true, memory64: true }), /memory64 is true, and this engine has no/);
  assert.match(memoryLimit({}, { relaxed: false }).hint!, /^leave \{ relaxed: false \} out/);
});

test("where the engine does not reach above 4 GiB, the refusal says which do", async () => {
  const backend = await WasmBackend.open({
    threads: 1,
    first: 4 * GIB - 2 ** 20,
    memory64: hasMemory64() ? false : undefined,
  });
  const memory = backend.createMemory();
  const { message, fix } = await limitOf(async () => memory.allocate("theta", 2 ** 20));
  assert.match(
    message,
    /^Cannot allocate 4.0 MiB: 0.0 MiB are in use, and the memory of WebAssembly ends at 4096.0 MiB$/,
  );
  // Nothing to say to those who have it and don't want it.
  const hinted = !hasMemory64() && hasRelaxedSimd();
  assert.is(/; or use Node 24, Deno .* where wasm may have 16 GiB$/.test(fix), hinted, fix);
  assert.is(backend.capacityHint !== undefined, hinted);
  assert.is(backend.liveBytes, 0);
  await backend.close();
});

/** Its one state of 4.5 GiB is the memory that this test touches. */
const room = freemem() > 8 * GIB;
if (!room) console.log(`memory64: ${(freemem() / GIB).toFixed(1)} GiB are free, so no tensor above 4 GiB is tested`);

(room ? far : test.skip)("a tensor of more than 4 GiB", async () => {
  const backend = await WasmBackend.open({ threads: 2 });
  const memory = backend.createMemory();
  const [rows, width] = [1152, 2 ** 20];
  memory.allocate("x", rows * width);
  const flat = ops.state("x", [rows * width]);
  const x = ops.reshape(flat, [rows, width]);
  const next = ops.reshape(ops.add(x, ops.input("number", [rows, 1])), [rows * width]);
  const fill = program({ name: "fill", updates: [[flat, next]] });
  const last = ops.add(ops.view(flat, { offset: rows * width - 4, shape: [4] }), 1);
  const read = program({ name: "read", outputs: { sums: ops.sum(x, { axes: [1] }), last } });
  const [filling, reading] = [await backend.compile(fill, memory), await backend.compile(read, memory)];
  await filling.run({ number: Float32Array.from({ length: rows }, (_, i) => i % 256) });
  await reading.run();
  assert.equal([...(await reading.read("last"))], Array(4).fill(((rows - 1) % 256) + 1));
  assert.equal(
    await reading.read("sums"),
    Float32Array.from({ length: rows }, (_, i) => (i % 256) * width),
  );
  await backend.close();
});

test.run();
