import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AVERAGES } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { ema } from "../../../plugins/averages/ema.ts";
import { compose } from "../support.ts";

const test = suite("plugins/averages/ema");

const averageOf = (options?: Parameters<typeof ema>[0]) =>
  compose({ sample: [1], condition: {}, sigmaData: 0.5 }, ema(options)).all(AVERAGES)[0];

test("is a well-formed plugin", () => checkPlugin(ema, { unit: "updates", rampUp: 0.05 }));

test("a weight counts half after halfLife images, or halfLife updates", () => {
  const images = averageOf({ halfLife: 640 });
  assert.ok(Math.abs(images.keep(0, 64) ** 10 - 0.5) < 1e-12);
  assert.is(images.keep(0, 64), images.keep(500, 64));
  const updates = averageOf({ halfLife: 20, unit: "updates" });
  assert.ok(Math.abs(updates.keep(3, 64) ** 20 - 0.5) < 1e-12);
});

test("with a ramp-up the first update takes the weights, and the half-life grows to its bound", () => {
  const average = averageOf({ halfLife: 1000, rampUp: 0.05 });
  assert.is(average.keep(0, 10), 0);
  assert.ok(Math.abs(average.keep(40, 10) - 0.5 ** (10 / 20)) < 1e-12);
  assert.ok(Math.abs(average.keep(10_000, 10) - 0.5 ** (10 / 1000)) < 1e-12);
});

test.run();
