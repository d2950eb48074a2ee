import { decreasingLevels, placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, type Generator, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import { boundaryDenoiser } from "./shared/boundary.ts";
import { oneCall } from "./shared/oneCall.ts";

/**
 * A consistency function over the network: the teacher's denoiser, held to x at the lowest level (boundary.ts).
 *   f(x; σ) = cSkip(σ − ε)·x + (1 − ε/σ) (D(x; σ) − cSkip(σ)·x),   f(x; ε) = x
 * Training draws x = f(σ₀·ε; σ₀); further levels are for sampling: x ← f(x + √(σᵢ² − ε²)·z; σᵢ). x [B, …], sigma [B] → [B, …].
 * Starts from the teacher's parameters, under the same names.
 * Song et al. 2023, arXiv:2303.01469, section 3.
 */
export const consistencyGenerator = definePlugin({
  name: "consistency",
  kind: "generator",
  about: "Consistency function over the network, started from the teacher",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [80],
      about: "noise levels at which it is called, decreasing; as many as it takes steps",
    }),
    sigmaMin: number({
      default: 0.002,
      above: 0,
      about: "lowest noise level, at which the function is its input",
    }),
  },
  create({ sigmas, sigmaMin }, container): Generator {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const levels = decreasingLevels("consistency", sigmas, process);
    const lowest = levels[levels.length - 1];
    if (lowest <= sigmaMin)
      throw failure(
        "E_OPTION",
        `Cannot configure consistency: the lowest of sigmas is ${lowest} and sigmaMin is ${sigmaMin}, sigmas should be above it`,
      );
    const bind: Generator["bind"] = (scope) => {
      const denoiser = process.denoiser((...inputs) => network.apply(scope, ...inputs));
      const bounded = boundaryDenoiser(denoiser, { sigmaMin, sigmaData: shape.sigmaData });
      return { ...bounded, generate: oneCall(bounded, levels[0], shape, process) };
    };
    return {
      sigmas: levels,
      startScale: process.start(levels[0]),
      floor: sigmaMin,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, condition);
      },
    };
  },
});
