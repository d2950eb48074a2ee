import { decreasingLevels, levelTold } from "../../core/diffusion/mod.ts";
import { PROCESS, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { maximum, reshape } from "../../core/ops/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import { towards } from "./shared/rules.ts";

/**
 * Steps of a mean velocity, which is told where they end: x_r = x_t − (t − r)·u(x_t; t, r) in times of a flow. In noise levels it is
 * Euler's step x ← keep·x + (1 − keep)·D(x; σ, r), keep the next level over this one, with D of the generator `mean-flow`.
 * x [B, …]. NFE is the number of levels. Geng et al. 2025, arXiv:2505.13447, Algorithm 2.
 */
export const meanFlowSampler = definePlugin({
  name: "mean-flow",
  kind: "sampler",
  about: "Deterministic steps of a generator that is told where they end",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [999, 1],
      about: "noise levels, decreasing; 999 and 1 are the times 0.999 and 0.5 of a flow",
    }),
    lowest: number({
      default: 0.002,
      min: 0,
      about: "level that the model is told in place of 0, as the generator mean-flow is in training",
    }),
  },
  create({ sigmas, lowest }, container): Sampler {
    const process = container.get(PROCESS);
    const levels = decreasingLevels("mean-flow", sigmas, process);
    const meanFlowStep: SamplerRule = (x, { sigma, end, keep }, model) => {
      const told = levelTold(process, maximum(reshape(end, [1]), lowest));
      return towards(x, model.denoise(x, sigma, { end: told }), keep);
    };
    const steps = levels.map((sigma, i) => {
      const end = levels[i + 1] ?? 0;
      return { rule: meanFlowStep, values: { sigma, end, keep: end / sigma } };
    });
    return { sigmaMax: levels[0], startScale: process.start(levels[0]), steps };
  },
});
