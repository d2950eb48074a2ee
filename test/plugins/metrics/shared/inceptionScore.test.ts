import { suite } from "uvu";
import * as assert from "uvu/assert";
import { inceptionScores } from "../../../../plugins/metrics/shared/inceptionScore.ts";

const test = suite("plugins/metrics/shared/inceptionScore");

test("1 where the classifier sees no difference, the number of classes where it sees all", () => {
  assert.ok(Math.abs(inceptionScores(new Float32Array(40).fill(3), 4, 1)[0] - 1) < 1e-12);
  const sure = Float32Array.from({ length: 64 }, (_, i) => (i % 4 === Math.floor(i / 4) % 4 ? 100 : 0));
  assert.ok(Math.abs(inceptionScores(sure, 4, 1)[0] - 4) < 1e-9);
});

test("logits of any size do not overflow", () => {
  const [score] = inceptionScores([1e30, 0, 0, 1e30], 2, 1);
  assert.ok(Math.abs(score - 2) < 1e-9, `${score}`);
});

test("as many splits as asked for, in order, the first ones larger", () => {
  // Seven samples of two classes: splits of 3, 2 and 2.
  const logits = [50, 0, 0, 50, 50, 0, 50, 0, 50, 0, 0, 50, 50, 0];
  const [first, second, third] = inceptionScores(logits, 2, 3);
  assert.ok(first > 1.8 && Math.abs(second - 1) < 1e-9 && Math.abs(third - 2) < 1e-9, `${[first, second, third]}`);
});

test.run();
