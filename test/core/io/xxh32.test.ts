import { suite } from "uvu";
import * as assert from "uvu/assert";
import { xxh32 } from "../../../core/io/mod.ts";

const test = suite("core/io/xxh32");
const bytes = (text: string) => new TextEncoder().encode(text);

test("xxh32: the values that the reference implementation gives", () => {
  assert.is(xxh32(bytes("")), 0x02cc5d05);
  assert.is(xxh32(bytes("a")), 0x550d7456);
  assert.is(xxh32(bytes("abc")), 0x32d153ff);
  assert.is(xxh32(bytes("Nobody inspects the spammish repetition")), 0xe2293b2f);
});

test("xxh32: the same wherever the bytes lie, and another for every flipped bit", () => {
  for (const length of [1, 3, 4, 15, 16, 17, 31, 64, 77]) {
    const plain = Uint8Array.from({ length }, (_, i) => (i * 73) & 255);
    const sum = xxh32(plain);
    for (const shift of [1, 2, 3, 4]) {
      const room = new Uint8Array(length + 8);
      room.set(plain, shift);
      assert.is(xxh32(room.subarray(shift, shift + length)), sum, `${length} bytes at ${shift}`);
    }
    for (let bit = 0; bit < length * 8; bit++) {
      plain[bit >> 3] ^= 1 << (bit & 7);
      assert.is.not(xxh32(plain), sum, `${length} bytes, bit ${bit}`);
      plain[bit >> 3] ^= 1 << (bit & 7);
    }
  }
});

test.run();
