import {
  decreasingLevels,
  edmDenoiser,
  type NoiseSource,
  placeholders,
} from "../../core/diffusion/mod.ts";
import {
  type Condition,
  DATA_SHAPE,
  type Denoiser,
  GENERATOR,
  type Generator,
  NETWORK,
} from "../../core/interfaces/mod.ts";
import {
  add,
  constant,
  constantArray,
  equal,
  mul,
  reshape,
  stopGradient,
  takeRows,
  where,
} from "../../core/ops/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import type { Shape } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

/**
 * The few-step student: the teacher's denoiser, called at a few fixed noise levels.
 *   one level:    x = D(σ·ε; σ)
 *   n levels:     x = D(y_j; σ_j),  j ~ U{0…n−1} a sample,  y_0 = σ_0·ε,  y_i = sg[D(y_{i−1}; σ_{i−1})] + σ_i·ε
 * The second is backward simulation: y_j is what the student itself makes of noise in j steps, and only the last call
 * carries a gradient. → x [B, …]. Starts from the teacher's parameters, under the same names.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, sections 4.4 and 4.5.
 */
export const fewStep = definePlugin({
  name: "few-step",
  kind: "generator",
  token: GENERATOR,
  about: "One- or few-step generator over the network, started from the teacher",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [80],
      about: "noise levels at which it is called, decreasing; as many as it takes steps",
    }),
  },
  create(options, container): Generator {
    const sigmas = decreasingLevels("few-step", options.sigmas);
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const bind: Generator["bind"] = (scope) => {
      const denoiser = edmDenoiser((...inputs) => network.apply(scope, ...inputs), shape.sigmaData);
      return {
        ...denoiser,
        generate(count, condition, noise) {
          const like = [count, ...shape.sample];
          const { x, sigma } =
            sigmas.length === 1
              ? firstRung(sigmas[0], like, noise)
              : drawnRung(denoiser, sigmas, like, condition, noise);
          return denoiser.denoise(x, sigma, condition);
        },
      };
    };
    return {
      sigmas,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, condition);
      },
      inherits: (parameter) => parameter,
    };
  },
});

/** A noisy input and the level it has. */
interface Rung {
  readonly x: Tensor;
  /** [B] */
  readonly sigma: Tensor;
}

const firstRung = (sigma: number, shape: Shape, noise: NoiseSource): Rung => ({
  x: mul(noise.normal(shape), sigma),
  sigma: constant(sigma, "f32", [shape[0]]),
});

/** All rungs are simulated for all samples: a static graph, and every sample can take its own. */
function drawnRung(
  denoiser: Denoiser,
  sigmas: readonly number[],
  shape: Shape,
  condition: Condition,
  noise: NoiseSource,
): Rung {
  const [B] = shape;
  const index = noise.integers(B, 0, sigmas.length);
  const taken = (rung: number) =>
    reshape(equal(index, rung), [B, ...new Array<number>(shape.length - 1).fill(1)]);
  let { x } = firstRung(sigmas[0], shape, noise);
  let chosen = x;
  for (let rung = 1; rung < sigmas.length; rung++) {
    const before = constant(sigmas[rung - 1], "f32", [B]);
    const simulated = stopGradient(denoiser.denoise(x, before, condition));
    x = add(simulated, mul(noise.normal(shape), sigmas[rung]));
    chosen = where(taken(rung), x, chosen);
  }
  const table = constantArray(sigmas, [sigmas.length, 1]);
  return { x: chosen, sigma: reshape(takeRows(table, index), [B]) };
}
