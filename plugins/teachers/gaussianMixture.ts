import { mixtureDenoiser } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import type { Teacher } from "../../core/interfaces/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import { portableCos, portableSin } from "../../core/random/mod.ts";

/**
 * The exact denoiser of Gaussians on a ring: mode k of K at radius·(cos 2πk/K, sin 2πk/K), each with the same deviation s.
 *   D(x; σ) = Σ_k r_k (σ² μ_k + s² x) / (s² + σ²),  r = softmax_k( −|x − μ_k|² / 2(s² + σ²) )
 * x [B, 2], sigma [B] → [B, 2]. It has no parameters, so nothing gets a gradient and a generator starts untrained.
 * `displaced` makes a wrong teacher, which a generator without a GAN loss can't correct.
 */
export const gaussianMixture = definePlugin({
  name: "gaussian-mixture",
  kind: "teacher",
  about: "Closed-form denoiser of Gaussians on a ring, optionally with modes out of place",
  options: {
    modes: number({ default: 8, min: 1, integer: true, about: "number of Gaussians" }),
    radius: number({ default: 1, min: 0, about: "distance of the modes from the origin" }),
    deviation: number({ default: 0.12, above: 0, about: "standard deviation of each mode" }),
    displaced: list(number({ min: 0, integer: true }), {
      default: [],
      about: "indices of modes that the teacher believes elsewhere, from 0",
    }),
    displacement: number({ default: 0.5, about: "how far outward the displaced modes stand" }),
  },
  create({ modes, radius, deviation, displaced, displacement }): Teacher {
    const unknown = displaced.find((k) => k >= modes);
    if (unknown !== undefined)
      throw failure(
        "E_OPTION",
        `Cannot configure gaussian-mixture: displaced has mode ${unknown}, should be 0 to ${modes - 1}`,
      );
    const indices = Array.from({ length: modes }, (_, k) => k);
    const denoiser = mixtureDenoiser({
      means: indices.map((k) => {
        const length = radius + (displaced.includes(k) ? displacement : 0);
        const angle = (2 * Math.PI * k) / modes;
        return [length * portableCos(angle), length * portableSin(angle)];
      }),
      deviations: indices.map(() => deviation),
      weights: indices.map(() => 1),
    });
    return { trainable: false, bind: () => denoiser, declare() {} };
  },
});
