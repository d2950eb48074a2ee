import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
} from "../../../core/io/halfFloat.ts";

const test = suite("core/io/halfFloat");
const everyPattern = Uint16Array.from({ length: 65536 }, (_, i) => i);

test("float16: every pattern that is not NaN survives the way to float32 and back", () => {
  const back = float32ToFloat16(float16ToFloat32(everyPattern));
  for (const bits of everyPattern) {
    const isNan = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
    if (isNan) assert.ok((back[bits] & 0x7fff) > 0x7c00, `NaN ${bits}`);
    else if (back[bits] !== bits) assert.unreachable(`${bits} came back as ${back[bits]}`);
  }
});

test("float16: known values", () => {
  const known = [0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00, 0xfc00, 0x3555];
  const values = [0, -0, 1, -2, 65504, 2 ** -24, 2 ** -14, Infinity, -Infinity, 0.333251953125];
  assert.equal([...float16ToFloat32(known)], values);
});

test("float16: every pattern is sign · (1 + fraction/1024) · 2^(exponent − 15), the last exponent is infinite", () => {
  const values = float16ToFloat32(everyPattern);
  for (const half of everyPattern) {
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const finite = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    const size = exponent < 31 ? finite : fraction ? Number.NaN : Number.POSITIVE_INFINITY;
    assert.ok(Object.is(values[half], half >> 15 ? -size : size), `pattern ${half}`);
  }
});

test("float16: rounds to nearest, ties to even, at every boundary between finite neighbours", () => {
  const values = float16ToFloat32(everyPattern);
  const midpoints: number[] = [];
  const expected: number[] = [];
  for (let bits = 0; bits < 0x7bff; bits++) {
    const middle = (values[bits] + values[bits + 1]) / 2; // exact in float32: one more bit
    midpoints.push(middle, nextBelow(middle), nextAbove(middle));
    expected.push(bits & 1 ? bits + 1 : bits, bits, bits + 1);
  }
  assert.equal(float32ToFloat16(midpoints), Uint16Array.from(expected));
});

test("float16: overflow and the ends of the range", () => {
  const values = [65519.99609375, 65520, 1e10, -65520, 2 ** -25, 2 ** -25 * 1.0001, -(2 ** -26)];
  assert.equal([...float32ToFloat16(values)], [0x7bff, 0x7c00, 0x7c00, 0xfc00, 0, 1, 0x8000]);
});

test("bfloat16: every pattern survives, halves round to even, NaN never becomes an infinity", () => {
  const back = float32ToBfloat16(bfloat16ToFloat32(everyPattern));
  for (const bits of everyPattern) {
    const isNan = (bits & 0x7f80) === 0x7f80 && (bits & 0x7f) !== 0;
    if (isNan) assert.ok((back[bits] & 0x7fff) > 0x7f80, `NaN ${bits}`);
    else if (back[bits] !== bits) assert.unreachable(`${bits} came back as ${back[bits]}`);
  }
  // 1 + 2^-8 lies halfway between 1 and 1 + 2^-7; 1 + 3·2^-8 halfway to 1 + 2^-6.
  assert.equal([...float32ToBfloat16([1 + 2 ** -8, 1 + 3 * 2 ** -8])], [0x3f80, 0x3f82]);
  assert.equal([...float32ToBfloat16([3.4028235e38])], [0x7f80]);
});

test("empty input gives empty output", () => {
  assert.is(float32ToFloat16([]).length, 0);
  assert.is(bfloat16ToFloat32([]).length, 0);
});

function step(value: number, by: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] += by;
  return new Float32Array(bits.buffer)[0];
}
const nextBelow = (value: number) => step(value, -1);
const nextAbove = (value: number) => step(value, 1);

test.run();
