import { suite } from "uvu";
import * as assert from "uvu/assert";
import { byteRules, toBytes } from "../../../core/pixels/mod.ts";

const test = suite("core/pixels/bytes");

test("what was bytes is the same bytes again, by every rule", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const x = Float32Array.from(bytes, (byte) => byte / 127.5 - 1);
  for (const rule of byteRules) assert.equal([...toBytes(x, rule)], [...bytes], rule);
});

test("other values are cut off or rounded as the rule says, clipped, and NaN is black", () => {
  const x = Float32Array.of(0.002, -0.3, 0.999, -2, 2, Number.NaN);
  assert.equal([...toBytes(x, "dmd2")], [127, 89, 254, 0, 255, 0]);
  assert.equal([...toBytes(x, "edm")], [128, 89, 255, 0, 255, 0]);
  assert.equal([...toBytes(x, "round")], [128, 89, 255, 0, 255, 0]);
});

test.run();
