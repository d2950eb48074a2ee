import { decreasingLevels, levelTold, perSample, placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, type Generator, type GeneratorNetwork, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { layoutOf, type Scope } from "../../core/nn/mod.ts";
import { add, constant, div, input, mul, sub } from "../../core/ops/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { oneCall } from "./shared/oneCall.ts";

/**
 * A consistency trajectory model: a denoiser g that is told where a jump ends.
 *   G(x; t, s) = (s/t)·x + (1 − s/t)·g(x; t, s);   g(x; t, t) is the denoiser
 * `denoise` is g where the condition has the level `end`, [B], as the process's cNoise; without one it is the jump G to `sigmaMin`,
 * so that the generator is a consistency model. x [B, …], sigma [B] → [B, …]. Further levels are for sampling: noise leads back up to
 * each. The sampler `trajectory` jumps between levels instead. Starts from the teacher's parameters, under the same names, and answers
 * as the teacher does until it has learnt to heed `end`. Kim et al. 2023, CTM, arXiv:2310.02279, Eq. 9.
 */
export const ctmGenerator = definePlugin({
  name: "ctm",
  kind: "generator",
  about: "Consistency trajectory model, told where a jump ends; started from the teacher",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [80],
      about: "noise levels at which it is called, decreasing; as many as it takes steps",
    }),
    sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level, where trajectories end" }),
  },
  create({ sigmas, sigmaMin }, container): Generator {
    const [network, shape, process] = [container.get(NETWORK), container.get(DATA_SHAPE), container.get(PROCESS)];
    const levels = decreasingLevels("ctm", sigmas, process);
    const lowest = levels[levels.length - 1];
    if (lowest <= sigmaMin)
      throw failure(
        "E_OPTION",
        `Cannot configure ctm: the lowest of sigmas is ${lowest} and sigmaMin is ${sigmaMin}, sigmas should be above it`,
      );
    const declare = (scope: Scope) => {
      const { x, sigma, condition } = placeholders(shape);
      bind(scope).denoise(x, sigma, { ...condition, end: input("end", [1]) });
    };
    const bind = (scope: Scope): CtmNetwork => {
      const told = process.denoiser((...inputs) => network.apply(scope, ...inputs));
      const denoise: GeneratorNetwork["denoise"] = (x, sigma, condition) => {
        if (condition.end) return told.denoise(x, sigma, condition);
        const floor = constant(sigmaMin, "f32", sigma.shape);
        const clean = told.denoise(x, sigma, { ...condition, end: levelTold(process, floor) });
        return add(clean, mul(perSample(div(floor, sigma), x.shape.length), sub(x, clean)));
      };
      return {
        denoise,
        lastWeight() {
          const matrices = layoutOf(declare).entries.filter(({ shape }) => shape.length > 1);
          const { name, shape: size } = matrices[matrices.length - 1];
          return scope.parameter(name, size, { kind: "constant", value: 0 });
        },
        generate: oneCall({ denoise }, levels[0], shape, process),
      };
    };
    return { sigmas: levels, startScale: process.start(levels[0]), floor: sigmaMin, bind, declare };
  },
});

/** A generator that shows the weight of its last layer, by which terms of its loss are balanced. */
interface CtmNetwork extends GeneratorNetwork {
  lastWeight(): Tensor;
}
