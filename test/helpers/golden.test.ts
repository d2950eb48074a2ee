import { suite } from "uvu";
import * as assert from "uvu/assert";
import { golden, goldenNames, hasGolden } from "./golden.ts";

const test = suite("helpers/golden");
const ema = golden("ema");

test("a tensor is within its own tolerance, and a small error beyond it is found", () => {
  const values = ema.f64("in.params");
  assert.is(ema.within(values, "in.params"), 0);
  const { index, tolerance } = { index: 5, tolerance: 8.7e-7 + 1e-5 * Math.abs(values[5]) };
  values[index] += 0.5 * tolerance;
  assert.ok(Math.abs(ema.within(values, "in.params") - 0.5) < 1e-6);
  values[index] += tolerance;
  assert.throws(() => ema.within(values, "in.params"), /ema in\.params\[5\]: .* off by 1\.50 x the tolerance/);
});

test("NaN, infinities and missing values never pass", () => {
  const values = ema.f64("in.params");
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    const copy = values.slice();
    copy[3] = bad;
    assert.throws(() => ema.within(copy, "in.params"), /in\.params\[3\]/);
  }
  assert.throws(() => ema.within(values.subarray(1), "in.params"), /125 values, should be 126/);
});

test("names, shapes and absent things", () => {
  assert.equal(ema.shape("in.params"), [21, 6]);
  assert.ok(ema.names("c0.").includes("c0.out.beta"));
  assert.throws(() => ema.f32("no.such"), /Cannot find no\.such in ema/);
  assert.not(hasGolden("no_such_case"));
  assert.throws(() => golden("no_such_case"), /Cannot find case no_such_case/);
  assert.ok(goldenNames("ops_").includes("ops_matmul"));
});

test.run();
