import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasMemory64 } from "../../../backends/wasm/kernelModule.ts";
import { LinearMemory } from "../../../backends/wasm/linearMemory.ts";

const test = suite("backends/wasm/linearMemory");

test("blocks start on cache lines, and never overlap", () => {
  const memory = new LinearMemory({ shared: true });
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
  const memory = new LinearMemory({ shared: false });
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
    const memory = new LinearMemory({ shared });
    const first = memory.allocate(12);
    memory.view(first, 3).set([1, 2, 3]);
    memory.allocate(10_000_000);
    assert.equal([...memory.view(first, 3)], [1, 2, 3]);
    memory.view(first, 1, "i32")[0] = -1;
    assert.ok(Number.isNaN(memory.view(first, 1)[0]));
  }
});

test("blocks of zeros hold zeros, wherever they lie", () => {
  const memory = new LinearMemory({ shared: true });
  const used = memory.allocate(1000);
  const behind = memory.allocate(64);
  memory.view(used, 250).fill(1);
  memory.free(used);
  memory.free(behind);
  const half = memory.allocateZeros(512);
  assert.is(half, used);
  memory.view(half, 128).fill(1);
  // Begins in memory that was used, and ends beyond it.
  const across = memory.allocateZeros(4000);
  assert.ok(memory.view(across, 1000).every((value) => value === 0));
  memory.free(half);
  assert.ok(memory.view(memory.allocateZeros(100), 25).every((value) => value === 0));
});

test("grows once to what is expected, and not for more than there can be", () => {
  const memory = new LinearMemory({ shared: true, most: 2 ** 26 });
  memory.expect(2 ** 25);
  const { byteLength } = memory.memory.buffer;
  assert.ok(byteLength >= 2 ** 25);
  for (let i = 0; i < 4; i++) memory.allocate(2 ** 22);
  assert.is(memory.memory.buffer.byteLength, byteLength);
  memory.expect(2 ** 40);
  assert.is(memory.memory.buffer.byteLength, byteLength);
});

const GIB = 2 ** 30;

(hasMemory64() ? test : test.skip)("above 4 GiB it is another memory, with the same blocks at the same places", () => {
  for (const shared of [true, false]) {
    const linear = new LinearMemory({ shared, most: 6 * GIB, first: 4 * GIB - 4096 });
    const [first, freed, last] = [1024, 1024, 1024].map((bytes) => linear.allocate(bytes));
    linear.view(first, 3).set([1, 2, 3]);
    linear.view(last, 2, "i32").set([-1, 4]);
    linear.free(freed);
    const { memory, capacity } = linear;
    assert.is(linear.addresses, "i32");
    const across = linear.allocate(8192);
    assert.is(across, 4 * GIB - 1024, "a block that lies across the border");
    assert.is(linear.addresses, "i64");
    assert.is.not(linear.memory, memory);
    assert.is(linear.capacity, capacity);
    linear.view(across, 2048).fill(7);
    assert.equal([...linear.view(first, 3)], [1, 2, 3]);
    assert.equal([...linear.view(last, 2, "i32")], [-1, 4]);
    assert.is(linear.allocate(1000), freed, "what was free still is");
    assert.is(linear.liveBytes, 3 * 1024 + 8192);
    assert.throws(() => linear.allocate(2 * GIB), /Cannot allocate 2048.0 MiB: .* ends at 6144.0 MiB/);
    assert.is(linear.allocate(GIB), across + 8192);
    assert.is(linear.addresses, "i64");
  }
});

(hasMemory64() ? test : test.skip)("it is made wide beforehand where much is expected, and only there", () => {
  const linear = new LinearMemory({ shared: true, most: 6 * GIB });
  const { rss } = process.memoryUsage();
  linear.expect(3 * GIB);
  linear.expect(7 * GIB);
  assert.is(linear.addresses, "i32");
  linear.expect(5 * GIB);
  assert.is(linear.addresses, "i64");
  assert.ok(linear.memory.buffer.byteLength >= 5 * GIB, "it has grown once");
  assert.ok(process.memoryUsage().rss - rss < GIB / 8, "nothing is taken yet");
});

test("what is too much for the larger memory leaves the smaller one as it is", () => {
  const linear = new LinearMemory({ shared: true, most: 6 * GIB, first: 4 * GIB - 4096 });
  const { memory } = linear;
  assert.throws(() => linear.allocate(3 * GIB), /Cannot allocate 3072.0 MiB: .* ends at 6144.0 MiB/);
  assert.is(linear.memory, memory);
  assert.is(linear.liveBytes, 0);
});

test.run();
