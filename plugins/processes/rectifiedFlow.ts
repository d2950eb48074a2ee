import { flowProcess } from "../../core/diffusion/mod.ts";
import type { NoiseProcess } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";

/**
 * The noise process of rectified flows, such as SD3 and FLUX, whose networks predict the velocity v.
 *   x_t = (1 − t)·x0 + t·ε = (x0 + σ·ε)·(1 − t),   v = ε − x0,   σ = t/(1 − t)
 *   D(x; σ) = x_t − t·v(x_t; t),   λ = 1/t², so that λ (D − x0)² is the flow's own loss (v(x_t; t) − (ε − x0))²
 * The network sees x_t and timeScale·t; everything else here sees x0 + σ·ε and σ. x [B, …], sigma [B]. Losses draw from the
 * levels of the times k/count, 0 < k < count, moved to t' = shift·t/(1 + (shift − 1)·t), σ' = shift·σ. The timestep k of a
 * few-step generator is level k, time (k + 1)/count.
 * Liu et al. 2022, arXiv:2209.03003; Esser et al. 2024, SD3, arXiv:2403.03206, Eq. 23 (shift, 3 at 1024² pixels).
 */
export const rectifiedFlow = definePlugin({
  name: "rectified-flow",
  kind: "process",
  about: "Times of a straight path from sample to noise, for networks that predict its velocity",
  options: {
    timeScale: number({
      default: 1000,
      above: 0,
      about: "factor on the time in [0, 1] that the network is told; 1000 for SD3 and FLUX",
    }),
    count: number({
      default: 1000,
      min: 2,
      integer: true,
      about: "parts of the time from 0 to 1; losses draw from the levels between them",
    }),
    shift: number({
      default: 1,
      above: 0,
      about: "factor on the levels: above 1 draws more noise, as large images need",
    }),
  },
  create: (options): NoiseProcess => flowProcess(options),
});
