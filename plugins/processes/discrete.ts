import { betaCurves, discreteTable, timestepProcess } from "../../core/diffusion/mod.ts";
import type { NoiseProcess } from "../../core/interfaces/mod.ts";
import { boolean, choice, definePlugin, number } from "../../core/plugin/mod.ts";

/**
 * The noise process of models that know discrete timesteps, such as Stable Diffusion.
 *   x_t = √ᾱ_t·x0 + √(1 − ᾱ_t)·ε = (x0 + σ_t·ε)·√ᾱ_t,   σ_t = √((1 − ᾱ_t)/ᾱ_t)
 * The network sees x_t and t; everything else here sees x0 + σ_t·ε and σ_t. The defaults are SD 1.5's and SDXL's.
 * Ho et al. 2020, DDPM, arXiv:2006.11239; Rombach et al. 2022, arXiv:2112.10752.
 */
export const discrete = definePlugin({
  name: "discrete",
  kind: "process",
  about: "Timesteps of a variance-preserving process, for networks that predict noise or velocity",
  options: {
    curve: choice(betaCurves, {
      default: "scaledLinear",
      about: "how the noise grows over the timesteps",
    }),
    betaStart: number({ default: 0.00085, above: 0, max: 1, about: "beta of the first timestep" }),
    betaEnd: number({ default: 0.012, above: 0, max: 1, about: "beta of the last timestep" }),
    count: number({ default: 1000, min: 1, integer: true, about: "timesteps" }),
    zeroTerminalSnr: boolean({
      default: false,
      about: "whether the table is stretched until its last timestep is noise only",
    }),
    prediction: choice(["epsilon", "velocity", "sample"], {
      default: "epsilon",
      about: "what the network predicts",
    }),
  },
  create: ({ prediction, ...tables }): NoiseProcess => timestepProcess(discreteTable(tables), prediction),
});
