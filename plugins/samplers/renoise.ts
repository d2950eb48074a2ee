import { decreasingLevels, renoiseSampler } from "../../core/diffusion/mod.ts";
import { SAMPLER, type Sampler } from "../../core/interfaces/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";

/**
 * Few-step sampling at given levels: predict the clean sample, add fresh noise of the next level, predict again.
 *   x ← D(σ_0·ε; σ_0);   x ← D(x + σ_i·ε; σ_i),  i = 1, 2, …
 * x [B, …]. NFE is the number of levels. Song et al. 2023, arXiv:2303.01469, Algorithm 1; DMD2, arXiv:2405.14867,
 * section 4.4.
 */
export const renoise = definePlugin({
  name: "renoise",
  kind: "sampler",
  token: SAMPLER,
  about: "Few-step sampler that predicts and adds fresh noise, one network call a level",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [80],
      about: "noise levels, decreasing; one network call each",
    }),
  },
  create: ({ sigmas }): Sampler => renoiseSampler(decreasingLevels("renoise", sigmas)),
});
