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

/** Every hundredth of many numbers. */
const sample = (values: ArrayLike<number>): number[] =>
  Array.from({ length: Math.floor(values.length / 100) }, (_, i) => values[100 * i]);

test.run();
