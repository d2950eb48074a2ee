import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AVERAGES } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { emaPower } from "../../../plugins/averages/emaPower.ts";
import { compose } from "../support.ts";

const test = suite("plugins/averages/emaPower");

const averageOf = (width: number) =>
  compose({ sample: [1], condition: {}, sigmaData: 0.5 }, emaPower({ width })).all(AVERAGES)[0];

test("is a well-formed plugin", () => checkPlugin(emaPower, { width: 0.1, role: "teacher" }));

test("the first update copies the weights, and the profile has the width asked for", () => {
  for (const width of [0.05, 0.1, 0.2]) {
    const average = averageOf(width);
    assert.is(average.keep(0, 1), 0);
    // Shares of the updates in the average after n of them, as a distribution over the run.
    const n = 4000;
    const shares = new Array<number>(n);
    let later = 1;
    for (let t = n - 1; t >= 0; t--) {
      shares[t] = (1 - average.keep(t, 1)) * later;
      later *= average.keep(t, 1);
    }
    const moment = (f: (t: number) => number) => shares.reduce((total, share, t) => total + share * f((t + 1) / n), 0);
    const mean = moment((t) => t);
    const deviation = Math.sqrt(moment((t) => (t - mean) ** 2));
    assert.ok(Math.abs(moment(() => 1) - 1) < 1e-9);
    assert.ok(Math.abs(deviation - width) < 0.01 * width, `${deviation}, not ${width}`);
  }
});

test.run();
