import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readIdx } from "../../../core/io/idx.ts";
import { idxBytes } from "../../helpers/idx.ts";

const test = suite("core/io/idx");
const bytes = idxBytes(
  [3, 2, 5],
  Uint8Array.from({ length: 30 }, (_, i) => i * 7),
);

test("plain and gzip give the same array", async () => {
  for (const content of [bytes, new Uint8Array(gzipSync(bytes))]) {
    const { shape, data } = await readIdx(content, 3, "x");
    assert.equal(shape, [3, 2, 5]);
    assert.equal(
      [...data],
      Array.from({ length: 30 }, (_, i) => i * 7),
    );
  }
});

test("reads from the middle of a larger buffer", async () => {
  const room = new Uint8Array(bytes.length + 3);
  room.set(bytes, 3);
  const { data } = await readIdx(room.subarray(3), 3, "x");
  assert.is(data[29], 203);
});

const damaged = (at: number, value: number) => {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
};

for (const [what, content, rank, message] of [
  [
    "another element type",
    damaged(2, 0x0d),
    3,
    /magic number is 0x00000d03, should be 0x00000803 \(unsigned bytes, 3 dimensions\)$/,
  ],
  ["labels where images should be", bytes, 1, /magic number is 0x00000803, should be 0x00000801/],
  ["another format", new TextEncoder().encode("<html>not found</html>"), 3, /magic number is 0x3c68746d/],
  ["an empty file", new Uint8Array(0), 3, /it has 0 bytes, should have at least 16/],
  ["a header cut short", bytes.slice(0, 15), 3, /it has 15 bytes, should have at least 16/],
  ["missing bytes", bytes.slice(0, 45), 3, /it has 45 bytes, should have 46 for \[3, 2, 5\]$/],
  ["surplus bytes", new Uint8Array([...bytes, 0]), 3, /it has more than 46 bytes, should have 46/],
  ["a dimension of zero", damaged(7, 0), 3, /its dimensions are \[0, 2, 5\], should be positive/],
  ["absurd dimensions", damaged(4, 0xff), 3, /at most 1073741824 elements/],
] as const) {
  test(`refuses ${what}`, async () => {
    await refused(content, rank, message);
    await refused(new Uint8Array(gzipSync(content)), rank, message);
  });
}

test("refuses damaged and truncated gzip", async () => {
  const packed = new Uint8Array(gzipSync(bytes));
  await refused(packed.slice(0, packed.length - 9), 3, /gzip stream is damaged or ends early/);
  await refused(packed.slice(0, 5), 3, /gzip stream is damaged or ends early/);
  const wrong = packed.slice();
  wrong[packed.length - 5] ^= 0xff; // check sum
  await refused(wrong, 3, /gzip stream is damaged/);
});

test("a small file that unpacks into much more than its header promises is stopped early", async () => {
  const bomb = new Uint8Array(300 * 2 ** 20);
  bomb.set(bytes);
  const packed = new Uint8Array(gzipSync(bomb, { level: 1 }));
  const before = process.memoryUsage().rss;
  await refused(packed, 3, /it has more than 46 bytes/);
  assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20);
});

async function refused(content: Uint8Array, rank: number, message: RegExp): Promise<void> {
  const error = await readIdx(content, rank, "data/t10k").then(
    () => assert.unreachable("should have been refused"),
    (error) => error,
  );
  assert.is(error.code, "E_DATA", error.stack);
  assert.match(error.message, /data\/t10k/);
  assert.match(error.message, message);
}

test.run();
