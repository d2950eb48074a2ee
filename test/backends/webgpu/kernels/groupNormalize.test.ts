import { suite } from "uvu";
import { grad } from "../../../../core/graph/mod.ts";
import { groupNorm, mul, sum } from "../../../../core/ops/mod.ts";
import { checkKernel, closeTestBackends, floats, tolerances } from "../../../helpers/kernelHarness.ts";
import { type Profile, profiles } from "./profiles.ts";

const test = suite("backends/webgpu/kernels/groupNormalize");
test.after(closeTestBackends);
let all: Profile[];
test.before(async () => {
  const own = ["groupNormalize", "groupNormalizeGrad"];
  all = (await profiles())
    .filter(({ has }) => own.every(has))
    .map((profile) => {
      // The sums of the gradients keep their own choice.
      const { variants = {} } = profile.options;
      return {
        ...profile,
        options: { variants: Object.fromEntries(own.map((op) => [op, variants[op]])) },
      };
    });
});

for (const activation of ["none", "silu"] as const)
  for (const [B, C, S, groups] of [
    [1, 1, 1, 1],
    [2, 6, 5, 3],
    [3, 4, 64, 2],
    [2, 8, 7, 8],
    [1, 2, 1028, 1],
    [5, 12, 16, 4],
    [70, 3, 4, 1],
  ])
    test(`${activation}: [${B}, ${C}, ${S}] in ${groups} groups, and its gradients`, async () => {
      for (const { name, options } of all) {
        if (name === "subgroup8" && S % 4) continue;
        for (const affine of [[C], [B, C]])
          await checkKernel(
            `groupNorm ${name}`,
            (x, gamma, beta, dy) => {
              const y = groupNorm(x, gamma, beta, { groups, activation, eps: 1e-3 });
              return [y, ...grad(sum(mul(y, dy)), [x, gamma, beta])];
            },
            [floats([B, C, S], 1, 1, 3), floats(affine, 2), floats(affine, 3), floats([B, C, S], 4)],
            { ...tolerances.sum, absolute: 1e-5, ofLargest: 1e-4 }, // differences of nearly equal numbers
            options,
          );
      }
    });

test("a mean 1000 times the deviation", async () => {
  for (const { name, options } of all)
    await checkKernel(
      `groupNorm ${name}`,
      (x, gamma, beta) => groupNorm(x, gamma, beta, { groups: 2, activation: "silu" }),
      [floats([2, 4, 48], 1, 99.9, 100.1), floats([4], 2), floats([4], 3)],
      { ...tolerances.sum, ofLargest: 1e-4 },
      options,
    );
});

test.run();
