import { decreasingLevels, placeholders } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, type Generator, type GeneratorNetwork, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { linear, sinusoid, zeros } from "../../core/nn/mod.ts";
import { log, mul, reshape } from "../../core/ops/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { oneCall } from "./shared/oneCall.ts";

/** Radians per unit of ¼ ln σ of the features that the log-variance is read from. */
const FREQUENCIES = [1, 2, 4, 8];

/**
 * The teacher's denoiser as a continuous-time consistency model, whose answer on the way from noise to a sample is that sample, with
 * the log-variance that its loss weighs levels by.
 *   x = D(σ₀·ε; σ₀);   λ(σ) = w·[cos, sin](f·¼ ln σ) + b, a head of its own that starts at 0
 * Further levels are for sampling: x ← D(x + σᵢ·ε; σᵢ). x [B, …], sigma [B] → [B, …] and [B]. Starts from the teacher's parameters,
 * under the same names; the head is `logvar`. Lu & Song 2024, sCM, arXiv:2410.11081, section 4.2 and Eq. 9.
 */
export const scmGenerator = definePlugin({
  name: "scm",
  kind: "generator",
  about: "Continuous-time consistency model with a learnt weight of levels; started from the teacher",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [80],
      about: "noise levels at which it is called, decreasing; as many as it takes steps",
    }),
  },
  create({ sigmas }, container): Generator {
    const [network, shape, process] = [container.get(NETWORK), container.get(DATA_SHAPE), container.get(PROCESS)];
    const levels = decreasingLevels("scm", sigmas, process);
    const bind = (scope: Parameters<Generator["bind"]>[0]): ScmNetwork => {
      const { denoise } = process.denoiser((...inputs) => network.apply(scope, ...inputs));
      return {
        denoise,
        logVariance: (sigma) =>
          reshape(linear(scope.at("logvar"), sinusoid(mul(log(sigma), 0.25), FREQUENCIES), 1, { init: zeros }), [-1]),
        generate: oneCall({ denoise }, levels[0], shape, process),
      };
    };
    return {
      sigmas: levels,
      startScale: process.start(levels[0]),
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        const { denoise, logVariance } = bind(scope);
        denoise(x, sigma, condition);
        logVariance(sigma);
      },
    };
  },
});

/** A generator with the log-variance λ of its loss at a level: sigma [B] → [B]. */
interface ScmNetwork extends GeneratorNetwork {
  logVariance(sigma: Tensor): Tensor;
}
