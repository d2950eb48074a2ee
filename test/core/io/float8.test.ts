import { suite } from "uvu";
import * as assert from "uvu/assert";
import { float8E4m3ToFloat32, float8E5m2ToFloat32 } from "../../../core/io/float8.ts";
import { toFloat32 } from "../../../core/io/safetensors.ts";

const test = suite("core/io/float8");

test("E4M3: known values, no infinity, and the largest is 448", () => {
  const bytes = [0x00, 0x80, 0x38, 0xc0, 0x7e, 0xfe, 0x01, 0x08, 0x3c];
  assert.equal([...float8E4m3ToFloat32(bytes)], [0, -0, 1, -2, 448, -448, 2 ** -9, 2 ** -6, 1.5]);
  assert.ok(float8E4m3ToFloat32([0x7f, 0xff]).every(Number.isNaN));
});

test("E5M2: known values, and the last exponent is infinite", () => {
  const bytes = [0x00, 0x80, 0x3c, 0xc0, 0x7b, 0x01, 0x04, 0x7c, 0xfc, 0x3e];
  const values = [0, -0, 1, -2, 57344, 2 ** -16, 2 ** -14, Infinity, -Infinity, 1.5];
  assert.equal([...float8E5m2ToFloat32(bytes)], values);
  assert.ok(float8E5m2ToFloat32([0x7d, 0x7f]).every(Number.isNaN));
});

test("tensors of both are widened", () => {
  const data = Uint8Array.of(0x3c);
  assert.equal([...toFloat32({ dtype: "F8_E4M3", shape: [1], data })], [1.5]);
  assert.equal([...toFloat32({ dtype: "F8_E5M2", shape: [1], data })], [1]);
});

test.run();
