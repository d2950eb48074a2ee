import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LinearMemory } from "../../../backends/wasm/linearMemory.ts";

const test = suite("backends/wasm/linearMemory");

test("blocks start on cache lines, and never overlap", () => {
  const memory = new LinearMemory(true);
  const blocks = [1, 64, 65, 1000, 100_000].map((bytes) => [memory.allocate(bytes), bytes]);
  blocks.forEach(([address, bytes], i) => {
    assert.is(address % 64, 0);
    assert.ok(address >= 65536, "the first page is taken");
    if (i > 0) assert.ok(blocks[i - 1][0] + blocks[i - 1][1] <= address);
    assert.ok(address + bytes + 64 <= memory.memory.buffer.byteLength);
  });
  assert.is(memory.liveBytes, 64 + 64 + 128 + 1024 + 100_032);
});

test("freed neighbours join, and the smallest gap that fits is taken", () => {
  const memory = new LinearMemory(false);
  const [a, b, c, d, e, f] = [100, 100, 100, 64, 100, 100].map((bytes) => memory.allocate(bytes));
  for (const address of [a, c, b]) memory.free(address);
  memory.free(d + 1); // no block: nothing happens
  memory.free(e);
  assert.is(memory.allocate(128), e);
  assert.is(memory.allocate(384), a);
  for (const address of [a, d, e, f]) memory.free(address);
  assert.is(memory.liveBytes, 0);
  assert.is(memory.allocate(1), a);
});

test("views see the memory after it has grown", () => {
  for (const shared of [true, false]) {
    const memory = new LinearMemory(shared);
    const first = memory.allocate(12);
    memory.view(first, 3).set([1, 2, 3]);
    memory.allocate(10_000_000);
    assert.equal([...memory.view(first, 3)], [1, 2, 3]);
    memory.view(first, 1, "i32")[0] = -1;
    assert.ok(Number.isNaN(memory.view(first, 1)[0]));
  }
});

test.run();
