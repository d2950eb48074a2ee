import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classAccuracy } from "../../../../plugins/metrics/shared/classAccuracy.ts";

const test = suite("plugins/metrics/classAccuracy");

test("overall, per class and worst", () => {
  // biome-ignore format: one row of logits a sample
  const logits = [
    5, 1, 0,
    0, 2, 1,
    9, 2, 1,
    0, 0, -1,
  ];
  assert.equal(classAccuracy(logits, [0, 1, 1, 0], 3), {
    accuracy: 3 / 4,
    worst: 1 / 2,
    worstClass: 1,
    perClass: [1, 1 / 2, Number.NaN],
    right: Uint8Array.of(1, 1, 0, 1),
    rarest: 1 / 2,
  });
});

test("the rarest class is that which is chosen least beside how often it is wanted", () => {
  const one = [1, 0, 0];
  assert.is(classAccuracy([one, one, one].flat(), [0, 1, 0], 3).rarest, 0);
  assert.is(classAccuracy([one, one, [0, 1, 0], one].flat(), [1, 0, 1, 0], 3).rarest, 1 / 2);
});

test("NaN logits are wrong, infinite ones count", () => {
  assert.is(classAccuracy([Number.NaN, 0, 1, Number.NaN], [0, 0], 2).accuracy, 0);
  assert.is(classAccuracy([-Infinity, Infinity], [1], 2).accuracy, 1);
});

test("the first of equal logits is the choice", () => {
  assert.is(classAccuracy([3, 3, 3], [0], 3).accuracy, 1);
  assert.is(classAccuracy([3, 3, 3], [2], 3).accuracy, 0);
});

test("refuses sizes that do not fit, empty sets and labels out of range", () => {
  assert.throws(() => classAccuracy([], [], 10), /there are 0 labels and 10 classes/);
  assert.throws(() => classAccuracy([1, 2, 3], [0], 2), /Cannot score 3 logits/);
  assert.throws(() => classAccuracy([1, 2], [2], 2), /label 0: it is 2, should be an integer from 0 to 1$/);
  assert.throws(() => classAccuracy([1, 2], [-1], 2), /it is -1/);
});

test.run();
