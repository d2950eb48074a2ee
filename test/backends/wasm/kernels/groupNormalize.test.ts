import { suite } from "uvu";
import { grad } from "../../../../core/graph/mod.ts";
import { groupNorm, mul, sum } from "../../../../core/ops/mod.ts";
import { agree, scattered } from "../compare.ts";

const test = suite("backends/wasm/kernels/groupNormalize");

for (const activation of ["none", "silu"] as const)
  for (const [B, C, S, groups] of [
    [1, 1, 1, 1],
    [2, 6, 5, 3],
    [3, 4, 64, 2],
    [2, 8, 7, 8],
    [1, 2, 1031, 1],
    [5, 12, 16, 4],
  ])
    test(`${activation}: [${B}, ${C}, ${S}] in ${groups} groups, and its gradients`, async () => {
      for (const affine of [[C], [B, C]])
        await agree(
          {
            x: { shape: [B, C, S], value: (i) => scattered(i) + 3 },
            gamma: { shape: affine },
            beta: { shape: affine },
            dy: { shape: [B, C, S] },
          },
          ({ x, gamma, beta, dy }) => {
            const y = groupNorm(x, gamma, beta, { groups, activation, eps: 1e-3 });
            const [dx, dGamma, dBeta] = grad(sum(mul(y, dy)), [x, gamma, beta]);
            return { y, dx, dGamma, dBeta };
          },
          { tolerance: 3e-5, scale: Math.sqrt(S) },
        );
    });

test("a mean 10,000 times the deviation", () =>
  agree(
    {
      x: { shape: [2, 4, 50], value: (i) => 1000 + scattered(i) * 0.1 },
      gamma: { shape: [4] },
      beta: { shape: [4] },
    },
    ({ x, gamma, beta }) => groupNorm(x, gamma, beta, { groups: 2, activation: "silu" }),
    { tolerance: 1e-5 },
  ));

test.run();
