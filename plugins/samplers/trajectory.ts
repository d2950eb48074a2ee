import { decreasingLevels, levelTold } from "../../core/diffusion/mod.ts";
import { PROCESS, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { add, mul, reshape } from "../../core/ops/mod.ts";
import { definePlugin, list, number, optional } from "../../core/plugin/mod.ts";
import { towards } from "./shared/rules.ts";

/**
 * γ-sampling of a generator that is told where a jump ends: it jumps below the next level, and noise leads back up to it.
 *   s = √(1 − γ²)·(σ_{i+1} − floor) + floor;   x ← G(x; σ_i, s) + √(σ_{i+1}² − s²)·ε
 *   G(x; σ, s) = (s/σ)·x + (1 − s/σ)·D(x; σ, s); the last jump adds no noise
 * γ = 0 is deterministic; at γ = 1 every jump is to the floor, as in consistency models. x [B, …]. NFE is the number of levels.
 * Kim et al. 2023, CTM, arXiv:2310.02279, Algorithm 3; s as in the official code, which the paper has without the floor.
 */
export const trajectorySampler = definePlugin({
  name: "trajectory",
  kind: "sampler",
  about: "Jumps of a generator that is told where they end, and noise between them",
  options: {
    sigmas: list(number({ above: 0 }), { default: [80], about: "noise levels, decreasing; one network call each" }),
    gamma: number({
      default: 0,
      min: 0,
      max: 1,
      about: "share of fresh noise at each level after the first; 0 adds none",
    }),
    floor: number({ default: 0.002, above: 0, about: "lowest level that the generator is told" }),
    end: optional(number({ above: 0 }), { about: "level that follows the last of sigmas; the floor without it" }),
  },
  create({ sigmas, gamma, floor, end: last = floor }, container): Sampler {
    const process = container.get(PROCESS);
    const levels = decreasingLevels("trajectory", sigmas, process);
    const jump: SamplerRule = (x, { sigma, end, keep }, model) =>
      towards(x, model.denoise(x, sigma, { end: levelTold(process, reshape(end, [1])) }), keep);
    const jumpAndRise: SamplerRule = (x, values, model, carried) =>
      add(jump(x, values, model, carried) as ReturnType<typeof add>, mul(values.rise, model.noise()));
    const steps = levels.map((sigma, i) => {
      const next = levels[i + 1] ?? last;
      const end = Math.sqrt(1 - gamma ** 2) * (next - floor) + floor;
      const values = { sigma, end, keep: end / sigma };
      return i === levels.length - 1 || gamma === 0
        ? { rule: jump, values }
        : { rule: jumpAndRise, values: { ...values, rise: Math.sqrt(next ** 2 - end ** 2) } };
    });
    return { sigmaMax: levels[0], startScale: process.start(levels[0]), steps };
  },
});
