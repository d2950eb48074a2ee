import { suite } from "uvu";
import * as assert from "uvu/assert";
import { broadcastAxes, joinAxes } from "../../../core/tensor/axes.ts";

const test = suite("core/tensor/axes");

const axis = (size: number, ...strides: number[]) => ({ size, strides });

test("axes that all operands step through alike become one", () => {
  assert.equal(
    broadcastAxes(
      [2, 3, 4],
      [
        [2, 3, 4],
        [2, 3, 4],
      ],
    ),
    [axis(24, 1, 1)],
  );
  assert.equal(
    broadcastAxes(
      [8, 5, 4, 4],
      [
        [5, 1, 1],
        [8, 5, 4, 4],
      ],
    ),
    [axis(8, 0, 80), axis(5, 1, 16), axis(16, 0, 1)],
  );
  assert.equal(broadcastAxes([2, 3, 4], [[4], [], [2, 3, 4]]), [axis(6, 0, 0, 4), axis(4, 1, 0, 1)]);
});

test("axes of one element vanish", () => {
  assert.equal(broadcastAxes([1, 7, 1], [[7, 1]]), [axis(7, 1)]);
  assert.equal(broadcastAxes([1, 1], [[]]), []);
  assert.equal(broadcastAxes([], []), []);
});

test("a permutation joins what stays together", () => {
  // [2, 3, 4, 5] read as [2, 4, 5, 3]
  assert.equal(
    joinAxes(
      [2, 4, 5, 3],
      [
        [60, 5, 1, 20],
        [60, 15, 3, 1],
      ],
    ),
    [axis(2, 60, 60), axis(20, 1, 3), axis(3, 20, 1)],
  );
});

test.run();
