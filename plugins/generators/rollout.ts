import { decreasingLevels, placeholders } from "../../core/diffusion/mod.ts";
import {
  DATA_SHAPE,
  type Denoiser,
  type Generator,
  type GeneratorNetwork,
  NETWORK,
  PROCESS,
} from "../../core/interfaces/mod.ts";
import { add, constant, mul, stopGradient, sub } from "../../core/ops/mod.ts";
import { boolean, definePlugin, list, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";

/**
 * A few-step generator along its own path: training runs all of its steps, and so does sampling, without fresh noise.
 *   x_0 = s_0·ε;   x_{i+1} = D(x_i; σ_i) + (σ_{i+1}/σ_i)(x_i − D(x_i; σ_i)), the level after the last being 0: Euler's steps
 * With `cut` no gradient flows back through the first step, so that it learns nothing of losses on samples: a loss of its own
 * teaches it. The other steps share one graph. → x [B, …]. Starts from the teacher's parameters, under the same names.
 * DP-DMD: Multimedia-Analytics-Laboratory/dpdmd.
 */
export const rollout = definePlugin({
  name: "rollout",
  kind: "generator",
  about: "Few-step generator along its path, all of whose steps are trained at once; started from the teacher",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [80, 2.5],
      about: "noise levels at which it is called, decreasing; as many as it takes steps",
    }),
    cut: boolean({
      default: true,
      about: "whether losses on samples leave the first step alone; with one level there is nothing to cut",
    }),
  },
  create({ sigmas: given, cut }, container): Generator {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const sigmas = decreasingLevels("rollout", given, process);
    const startScale = process.start(sigmas[0]);
    const step = ({ denoise }: Denoiser, x: Tensor, i: number, condition: Parameters<typeof denoise>[2]): Tensor => {
      const D = denoise(x, constant(sigmas[i], "f32", [x.shape[0]]), condition);
      return i === sigmas.length - 1 ? D : add(D, mul(sub(x, D), sigmas[i + 1] / sigmas[i]));
    };
    const bind: Generator["bind"] = (scope): GeneratorNetwork => {
      const denoiser = process.denoiser((x, cNoise, condition) => network.apply(scope, x, cNoise, condition));
      return {
        ...denoiser,
        generate(count, condition, noise) {
          const first = step(denoiser, mul(noise.normal([count, ...shape.sample]), startScale), 0, condition);
          let x = cut && sigmas.length > 1 ? stopGradient(first) : first;
          for (let i = 1; i < sigmas.length; i++) x = step(denoiser, x, i, condition);
          return x;
        },
      };
    };
    return {
      sigmas,
      startScale,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, condition);
      },
    };
  },
});
