import { suite } from "uvu";
import * as assert from "uvu/assert";
import { broadcastAxes, joinAxes } from "../../../backends/wasm/emit/axes.ts";

const test = suite("backends/wasm/axes");

test("axes that all operands step through alike become one", () => {
  assert.equal(broadcastAxes([2, 3, 4], [[2, 3, 4]]), { sizes: [24], strides: [[1], [1]] });
  assert.equal(broadcastAxes([8, 5, 4, 4], [[5, 1, 1]]), {
    sizes: [8, 5, 16],
    strides: [
      [0, 1, 0],
      [80, 16, 1],
    ],
  });
  assert.equal(broadcastAxes([2, 3, 4], [[4], []]), {
    sizes: [6, 4],
    strides: [
      [0, 1],
      [0, 0],
      [4, 1],
    ],
  });
});

test("axes of one element vanish; a scalar keeps one", () => {
  assert.equal(broadcastAxes([1, 7, 1], [[7, 1]]), { sizes: [7], strides: [[1], [1]] });
  assert.equal(broadcastAxes([1, 1], [[]]), { sizes: [1], strides: [[0], [0]] });
  assert.equal(broadcastAxes([], []), { sizes: [1], strides: [[0]] });
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
    {
      sizes: [2, 20, 3],
      strides: [
        [60, 1, 20],
        [60, 3, 1],
      ],
    },
  );
});

test.run();
