import { suite } from "uvu";
import * as assert from "uvu/assert";
import { attention as lowering } from "../../../../backends/wasm/kernels/attention.ts";
import { attention } from "../../../../core/ops/mod.ts";
import { check, noise, tensor } from "./runPlan.ts";

const test = suite("backends/wasm/kernels/attention");

test("odd sizes, batches that broadcast, scale of either sign", () => {
  for (const [N, M, D, E] of [
    [1, 1, 1, 1],
    [64, 64, 32, 32],
    [5, 7, 3, 9],
    [131, 17, 8, 4],
    [3, 258, 16, 13],
  ])
    for (const [q, k, v] of [
      [[], [], []],
      [[3], [3], [3]],
      [[2, 3], [3], [2, 1]],
      [[2, 1, 2], [1, 3, 2], []],
    ])
      for (const scale of [0.3, -1])
        check(lowering, attention(tensor(...q, N, D), tensor(...k, M, D), tensor(...v, M, E), { scale }));
});

test("scores of a thousand do not overflow", () => {
  const node = attention(tensor(9, 4), tensor(11, 4), tensor(11, 5), { scale: 500 });
  const data = node.inputs.map((x, i) => noise(x.shape[0] * x.shape[1], i + 1));
  assert.ok(check(lowering, node, data, 1e-3) < 1e-3);
});

test.run();
