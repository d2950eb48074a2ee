import { suite } from "uvu";
import { groupNormalize as lowering } from "../../../../backends/wasm/kernels/groupNormalize.ts";
import { groupNormalizeGrad as gradLowering } from "../../../../backends/wasm/kernels/groupNormalizeGrad.ts";
import { grad } from "../../../../core/graph/mod.ts";
import { groupNorm, groupNormalize, groupNormalizeGrad, mul, sum } from "../../../../core/ops/mod.ts";
import { agree, scattered } from "../compare.ts";
import { check, noise, tensor } from "./runPlan.ts";

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

/** Checks y for these x, and for these scales and shifts. */
function checkForward(shape: [number, number, number, number], x: Float32Array, factor = 1): void {
  const [, G, K] = shape;
  const [scale, shift] = [2, 3].map((seed) => noise(G * K, seed).map((value) => value * factor));
  const node = groupNormalize(tensor(...shape), tensor(1, G, K), tensor(1, G, K), { eps: 1e-5, activation: "silu" });
  check(lowering, node, [x, scale, shift]);
}

test("every remainder of a channel's elements", () => {
  for (const activation of ["none", "silu"] as const)
    for (let S = 1; S <= 19; S++) {
      // 64 channels, so that the parts of the gradients follow one another without gaps.
      const [x, affine] = [tensor(4, 4, 4, S), () => tensor(4, 4, 4)];
      check(lowering, groupNormalize(x, affine(), affine(), { eps: 1e-3, activation }));
      const gradient = groupNormalizeGrad(x, affine(), affine(), tensor(4, 4, 4, S), { eps: 1e-3, activation });
      check(gradLowering, gradient, undefined, 3e-5);
    }
});

test("SiLU far from zero, on both sides", () => {
  for (const factor of [20, 60, 400, 1e20]) checkForward([2, 2, 3, 67], noise(2 * 2 * 3 * 67, 1), factor);
});

test("rows whose sampled elements are far from their mean", () => {
  // Vectors 0, 4, 8, … are looked at first.
  const skewed = noise(4 * 256, 1).map((value, i) => value + ((i >> 2) % 4 === 0 ? 500 : 0));
  checkForward([1, 2, 2, 256], skewed);
  // One of the sampled elements exceeds all others.
  const peaked = noise(4 * 256, 1).map((value, i) => value + (i % 512 === 0 ? 3e4 : 0));
  checkForward([1, 2, 2, 256], peaked);
});

test("a group with a NaN is NaN, and no other", () => {
  const x = noise(4 * 70, 1);
  x[75] = Number.NaN;
  checkForward([2, 2, 1, 70], x);
});

test.run();
