import { decreasingLevels, renoiseSampler } from "../../core/diffusion/mod.ts";
import { PROCESS, type Sampler } from "../../core/interfaces/mod.ts";
import { choice, definePlugin, list, number } from "../../core/plugin/mod.ts";
import { eulerTo } from "./shared/rules.ts";

/**
 * Few-step sampling at given levels: predict the clean sample, add noise of the next level, predict again.
 *   x ← D(start·ε; σ_0);   x ← D(x + √(σ_i² − floor²)·ε; σ_i),  i = 1, 2, …
 * With `predicted` noise ε is the one that the last prediction implies, (x_i − D(x_i; σ_i))/σ_i: deterministic, DDIM at the
 * given levels. `start` is that of the run's process, σ_0 for EDM's. x [B, …]. NFE is the number of levels.
 * Song et al. 2023, arXiv:2303.01469, Algorithm 1 (floor is its ε, 0.002); DMD2, arXiv:2405.14867, section 4.4 (floor 0).
 */
export const renoise = definePlugin({
  name: "renoise",
  kind: "sampler",
  about: "Few-step sampler that predicts and adds noise, one network call per level",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [80],
      about: "noise levels, decreasing; one network call each",
    }),
    noise: choice(["fresh", "predicted"], {
      default: "fresh",
      about: "new noise at every level, or the one just predicted: deterministic",
    }),
    floor: number({
      default: 0,
      min: 0,
      about: "noise level that predictions keep, 0.002 for consistency models; fresh noise only",
    }),
  },
  create({ sigmas, noise, floor }, container): Sampler {
    const process = container.get(PROCESS);
    const levels = decreasingLevels("renoise", sigmas, process);
    const startScale = process.start(levels[0]);
    if (noise === "fresh") return renoiseSampler(levels, startScale, floor);
    // D + σ_next (x − D)/σ, and D at the last level.
    const steps = levels.map((sigma, i) => eulerTo(sigma, levels[i + 1] ?? 0));
    return { sigmaMax: levels[0], startScale, steps };
  },
});
