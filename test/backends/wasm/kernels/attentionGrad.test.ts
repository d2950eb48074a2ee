import { suite } from "uvu";
import { attentionGrad as lowering } from "../../../../backends/wasm/kernels/attentionGrad.ts";
import { attentionGrad, attentionGradParts } from "../../../../core/ops/mod.ts";
import { agree } from "../compare.ts";
import { check, tensor } from "./runPlan.ts";

const test = suite("backends/wasm/kernels/attentionGrad");

for (const [B, N, M, D, E] of [
  [1, 1, 1, 1, 1],
  [16, 5, 7, 3, 9],
  [32, 64, 64, 32, 32],
  [3, 131, 17, 8, 4],
  [2, 100, 258, 16, 13],
  [1, 300, 20, 5, 40],
])
  for (const scale of [0.7, -1])
    test(`[${B}, ${N}, ${D}] at [${B}, ${M}, ${D}] and [${B}, ${M}, ${E}], scale ${scale}`, () =>
      agree(
        {
          q: { shape: [B, N, D] },
          k: { shape: [B, M, D] },
          v: { shape: [B, M, E] },
          o: { shape: [B, N, E] },
          dy: { shape: [B, N, E] },
        },
        ({ q, k, v, o, dy }) => {
          const all = attentionGrad(q, k, v, o, dy, { scale: scale / Math.sqrt(D) });
          return { ...attentionGradParts(all, q.shape, v.shape) };
        },
        { tolerance: 1e-5, scale: Math.sqrt(N + E) },
      ));

test("with and without relaxed SIMD, in any cut, nothing beside the result", () => {
  // Sizes that leave no room between the parts.
  for (const [B, N, M, D, E] of [
    [2, 64, 136, 8, 16],
    [16, 8, 16, 3, 5],
    [128, 1, 1, 1, 1],
  ]) {
    const operands = [tensor(B, N, D), tensor(B, M, D), tensor(B, M, E)] as const;
    const node = attentionGrad(...operands, tensor(B, N, E), tensor(B, N, E), { scale: 0.3 });
    check(lowering, node, undefined, 1e-5);
  }
});

test.run();
