import { suite } from "uvu";
import * as assert from "uvu/assert";
import { movingAverage, type Point, thin } from "../../../../plugins/observers/drawing/curve.ts";

const test = suite("core/io/curve");
const curve = (values: number[]): Point[] => values.map((value, step) => ({ name: "a", step, value }));
const values = (points: Point[]) => points.map(({ value }) => value);

test("movingAverage: centred means, fewer values at the ends, gaps left out", () => {
  assert.equal(values(movingAverage(curve([3, 6, 9, 0]), 3)), [4.5, 6, 5, 4.5]);
  assert.equal(values(movingAverage(curve([2, 4, 6]), 2)), [3, 5, 6]);
  assert.equal(values(movingAverage(curve([1, Number.NaN, 5]), 3)), [1, Number.NaN, 5]);
  assert.equal(movingAverage([], 5), []);
});

test("movingAverage: one huge value spoils only its own window", () => {
  const spiky = new Array(50).fill(1);
  spiky[10] = 1e30;
  const smooth = values(movingAverage(curve(spiky), 5));
  assert.equal(smooth.slice(13), new Array(37).fill(1));
});

test("thin: keeps short curves whole, and every spike and gap of long ones", () => {
  assert.is(thin(curve([1, 2, 3])).length, 3);
  const long = Array.from({ length: 20_011 }, (_, i) => Math.sin(i));
  long[12_345] = 99;
  long.fill(Number.NaN, 5_000, 5_200);
  const kept = thin(curve(long));
  assert.ok(kept.length <= 1002, `${kept.length} points`);
  assert.is(Math.max(...values(kept).filter((value) => !Number.isNaN(value))), 99);
  assert.ok(kept.some(({ value }) => Number.isNaN(value)));
  assert.equal(
    kept.map(({ step }) => step),
    kept.map(({ step }) => step).sort((a, b) => a - b),
  );
});

test.run();
