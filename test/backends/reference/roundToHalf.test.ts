import { suite } from "uvu";
import * as assert from "uvu/assert";
import { roundToHalf } from "../../../backends/reference/roundToHalf.ts";

const test = suite("backends/reference/roundToHalf");

/** The number that the 16 bits of a binary16 stand for. */
function numberOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return mantissa ? Number.NaN : sign * Infinity;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

test("all 65536 numbers that 16 bits can hold stay as they are", () => {
  for (let bits = 0; bits < 65536; bits++) {
    const x = numberOf(bits);
    assert.ok(Object.is(roundToHalf(x), x), `${bits}: ${x}`);
  }
});

test("others go to the nearest, and halves to the even one", () => {
  for (let bits = 0; bits < 31743; bits++) {
    const [low, high] = [numberOf(bits), numberOf(bits + 1)];
    const middle = (low + high) / 2;
    assert.is(roundToHalf(middle), bits % 2 ? high : low, `between ${low} and ${high}`);
    assert.is(roundToHalf(-(low + (high - low) * 0.25)), low === 0 ? -0 : -low);
    assert.is(roundToHalf(low + (high - low) * 0.75), high);
  }
});

test("what is too large is infinite, as it is on a device", () => {
  assert.is(roundToHalf(65519.99), 65504);
  assert.is(roundToHalf(65520), Infinity);
  assert.is(roundToHalf(-1e30), -Infinity);
  assert.ok(Number.isNaN(roundToHalf(Number.NaN)));
});

test.run();
