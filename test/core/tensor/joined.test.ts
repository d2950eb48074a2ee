import { suite } from "uvu";
import * as assert from "uvu/assert";
import { joined } from "../../../core/tensor/mod.ts";

const test = suite("core/tensor/joined");

test("arrays behind each other, of their type, in an array of its own", () => {
  const first = Float32Array.of(1, 2);
  const whole = joined([first, new Float32Array(0), Float32Array.of(3)]);
  assert.equal(whole, Float32Array.of(1, 2, 3));
  whole[0] = 9;
  assert.is(first[0], 1);
  assert.equal(joined([Int32Array.of(4), Int32Array.of(5, 6)]), Int32Array.of(4, 5, 6));
  assert.equal(joined([Int32Array.of(7).subarray(1)]), new Int32Array(0));
});

test.run();
