import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AVERAGES } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { emaConstant } from "../../../plugins/averages/emaConstant.ts";
import { compose } from "../support.ts";

const test = suite("plugins/averages/emaConstant");

const averageOf = (options?: Parameters<typeof emaConstant>[0]) =>
  compose({ sample: [1], condition: {}, sigmaData: 0.5 }, emaConstant(options)).all(AVERAGES)[0];

test("is a well-formed plugin", () => checkPlugin(emaConstant, { warmUp: true, role: "critic" }));

test("keeps the same share at every update, whatever the batch", () => {
  const average = averageOf({ beta: 0.99 });
  assert.equal([average.keep(0, 1), average.keep(7, 64)], [0.99, 0.99]);
});

test("with warm-up the first updates are a plain mean", () => {
  const average = averageOf({ beta: 0.9, warmUp: true });
  // After weights 1, 2, 3, 4, …, n the mean of the last n − 1 and the start is kept: β = t/(1 + t).
  assert.equal(
    [0, 1, 3].map((t) => average.keep(t, 1)),
    [0, 1 / 2, 3 / 4],
  );
  assert.is(average.keep(1000, 1), 0.9);
});

test("unbiased, the first update is copied, and later ones weigh as in a sum of powers", () => {
  const average = averageOf({ beta: 0.5, unbiased: true });
  // After 1, 2 and 3 updates they weigh 1; 1 : 2; 1 : 2 : 4.
  for (const [update, kept] of [0, 1 / 3, 3 / 7].entries())
    assert.ok(Math.abs(average.keep(update, 1) - kept) < 1e-12, `${update}`);
});

test.run();
