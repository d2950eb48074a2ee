import workers from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import { program } from "../../../../core/graph/mod.ts";
import { add, state } from "../../../../core/ops/mod.ts";

const test = suite("backends/wasm/threads/pool");

test("no thread repeats the last step when a program is compiled after it", async () => {
  const backend = await WasmBackend.open({ threads: 2 });
  const memory = backend.createMemory();
  const size = 1 << 18;
  memory.allocate("w", size);
  const w = state("w", [size]);
  const count = program({ name: "count", updates: [[w, add(w, 1)]] });
  const run = await backend.compile(count, memory);
  for (let times = 1; times <= 20; times++) {
    await run.run();
    (await backend.compile(count, memory)).dispose();
    // Time for a worker to read its mail.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const values = await memory.read("w");
    assert.is(Math.min(...sample(values)), times);
    assert.is(Math.max(...sample(values)), times);
  }
  await backend.close();
});

/** In a worker: its third chunk is never finished, as it ends after taking it. */
const DIES = `{
  const { add } = Atomics;
  let taken = 0;
  Atomics.add = (array, index, value) => {
    if (index === 50 && ++taken === 3) process.exit(7);
    return add(array, index, value);
  };
}`;

/** Ends the process where the thread that it watches waits for ever, with a word about it. */
const GUARD = `setTimeout(() => {
  require("node:fs").writeSync(2, "the thread that runs a program waits for one that has ended\\n");
  process.kill(process.pid, "SIGKILL");
}, 30_000)`;

// Only where the system tells which threads there are; elsewhere, as in Deno, it takes ten minutes to be noticed.
const noticed = "Deno" in globalThis || process.platform !== "linux" ? test.skip : test;
noticed("a thread that ends in the middle of a step is a lost device, not a wait without end", async () => {
  const { Worker } = workers;
  const guard = new Worker(GUARD, { eval: true });
  workers.Worker = class extends Worker {
    constructor(script: string | URL, options?: workers.WorkerOptions) {
      super(`${DIES};${script}`, options);
    }
  };
  const backend = await WasmBackend.open({ threads: 2 });
  workers.Worker = Worker;
  const memory = backend.createMemory();
  const size = 1 << 20;
  memory.allocate("w", size);
  const w = state("w", [size]);
  const run = await backend.compile(program({ name: "count", updates: [[w, add(w, 1)]] }), memory);
  let lost: (Error & { code?: string }) | undefined;
  for (let times = 0; times < 1000 && !lost; times++) {
    await run.run().catch((error) => (lost = error));
    // Time for the worker to begin.
    if (times < 5) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.is(lost?.code, "E_DEVICE_LOST");
  assert.match(lost!.message, /a thread failed: it ended in the middle of a step/);
  // And so is whatever is asked of it from then on.
  const again = await run.run().catch((error) => error);
  assert.is(again?.code, "E_DEVICE_LOST");
  await backend.close();
  await guard.terminate();
});

/** Every hundredth of many numbers. */
const sample = (values: ArrayLike<number>): number[] =>
  Array.from({ length: Math.floor(values.length / 100) }, (_, i) => values[100 * i]);

test.run();
