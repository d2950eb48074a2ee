import { decreasingLevels, levelTold, placeholders } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, type Generator, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { constant, input } from "../../core/ops/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import { oneCall } from "./shared/oneCall.ts";

/** Level that a network is told for none at all, below which processes such as EDM's have none. */
const LOWEST = 0.002;

/**
 * The mean velocity u of a flow between two times as a denoiser that is told where its step ends.
 *   D(x; σ, r) = x_t − t·u(x_t; t, r),   x_t = (1 − t)·x,   t = σ/(1 + σ)
 * so that x_r = x_t − (t − r)·u is Euler's step with D; r is the entry `end` of the condition, [B], as the process's cNoise, and the
 * sample itself where there is none. x [B, …], sigma [B] → [B, …]. Any process will do: a flow's network gives u itself. Starts from
 * the teacher's parameters, under the same names, and answers as the teacher does until it has learnt to heed `end`.
 * Geng et al. 2025, MeanFlow, arXiv:2505.13447.
 */
export const meanFlowGenerator = definePlugin({
  name: "mean-flow",
  kind: "generator",
  about: "Mean velocity between two times, told where its step ends; started from the teacher",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [999],
      about: "noise levels at which it is called, decreasing; 999 is the time 0.999 of a flow",
    }),
  },
  create({ sigmas }, container): Generator {
    const [network, shape, process] = [container.get(NETWORK), container.get(DATA_SHAPE), container.get(PROCESS)];
    const levels = decreasingLevels("mean-flow", sigmas, process);
    const bind: Generator["bind"] = (scope) => {
      const { denoise: told } = process.denoiser((...inputs) => network.apply(scope, ...inputs));
      const denoise: typeof told = (x, sigma, condition) => {
        const end = condition.end ?? levelTold(process, constant(LOWEST, "f32", sigma.shape));
        return told(x, sigma, { ...condition, end });
      };
      return { denoise, generate: oneCall({ denoise }, levels[0], shape, process) };
    };
    return {
      sigmas: levels,
      startScale: process.start(levels[0]),
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, { ...condition, end: input("end", [1]) });
      },
    };
  },
});
