import { karrasSigmas } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { type Condition, GENERATOR, type Loss } from "../../core/interfaces/mod.ts";
import {
  add,
  constant,
  constantArray,
  div,
  mean,
  mul,
  reshape,
  square,
  stopGradient,
  sub,
  takeRows,
} from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { bootstrapLosses } from "./shared/bootstrap.ts";
import { sampleDistances } from "./shared/distillation.ts";

/**
 * BOOT: the generator learns the teacher's path from noise alone, each level from what it says of the one above.
 *   i ~ U{0 … N−2} on a Karras grid of N levels;   L = mean w_i · d(g(ε, σ_{i+1}), sg y′) + boundary · mean d(g(ε, σ_0), D(s_0·ε; σ_0))
 *   y′ DDIM's step of the teacher from g(ε, σ_i) (shared/bootstrap.ts);   w_i = (1 − σ_{i+1}/σ_i)^−2 with `weighting: "slope"`, else 1
 * No data: noise, and conditions. ε [B, …] → scalar. Gradient to the generator only. Needs the generator `bootstrapped`.
 * Gu et al. 2023, arXiv:2306.05544.
 */
export const bootstrap = definePlugin({
  name: "bootstrap",
  kind: "loss",
  about: "Teaches each level of the teacher's path by the one above it, without data",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    boundary: number({ default: 1, min: 0, about: "factor of the loss at the first level" }),
    levels: number({ default: 32, min: 2, integer: true, about: "noise levels N" }),
    rho: number({ default: 3, min: 1, about: "bend of the levels; more puts them near the lowest" }),
    weighting: choice(["slope", "none"], {
      default: "slope",
      about: "slope divides by the square of the step, so that a loss is that of the path's slope",
    }),
    distance: choice(["l2", "l1"], { default: "l2", about: "mean square or absolute difference" }),
  },
  create({ weight, boundary, levels, rho, weighting, distance }, container): Loss {
    const { sigmas, startScale = sigmas[0], floor } = container.get(GENERATOR);
    if (!floor) throw unfit();
    const far = sampleDistances[distance];
    const grid = constantArray(karrasSigmas(levels, { sigmaMin: floor, sigmaMax: sigmas[0], rho }), [levels, 1]);
    return {
      name: "bootstrap",
      role: "generator",
      weight,
      compute({ generated: { x, condition }, role, teacher, noise }) {
        const { lead } = role<Partial<Leading>>("generator");
        if (!lead) throw unfit();
        const [B] = x.shape;
        const eps = noise.normalLike(x);
        const first = constant(sigmas[0], "f32", [B]);
        const index = noise.integers(B, 0, levels - 1);
        const at = (place: Tensor) => reshape(takeRows(grid, place), [B]);
        const [sigma, next] = [at(index), at(add(index, 1))];
        const inverse = weighting === "slope" ? square(div(sigma, sub(sigma, next))) : undefined;
        const step = { eps, sigma, next, condition };
        const losses = bootstrapLosses(step, lead, teacher.denoise, { distance: far, weight: inverse });
        if (boundary === 0) return mean(losses);
        const known = stopGradient(teacher.denoise(mul(eps, startScale), first, condition));
        return add(mean(losses), mul(mean(far(lead(eps, first, condition), known)), boundary));
      },
    };
  },
});

/** What the generator `bootstrapped` has besides samples: the clean part of the path's state at levels [B]. */
interface Leading {
  lead(eps: Tensor, level: Tensor, condition: Condition): Tensor;
}

const unfit = () =>
  failure("E_CONFIG", "Cannot use bootstrap: the generator can't be told a level of the teacher's path", {
    fix: "use the generator `bootstrapped`",
  });
