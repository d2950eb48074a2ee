import { placeholders } from "../../core/diffusion/mod.ts";
import {
  type Condition,
  DATA_SHAPE,
  type Generator,
  type GeneratorNetwork,
  NETWORK,
  PROCESS,
} from "../../core/interfaces/mod.ts";
import { constant, mul } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { oneCall } from "./shared/oneCall.ts";
import { leadingTo, pathLevels, startLevel } from "./shared/startNoise.ts";

/**
 * A generator that is told which level of the teacher's path its noise is to be led to.
 *   g(ε, s) = D(s_0·ε; σ_0) with the network told level s in place of σ_0: the clean part y of the path's state y + s·ε
 * A sample is g at `sigmaMin`, where nothing of the noise is left; called as a denoiser, of s_0·ε, it is that sample.
 * [B, …] → [B, …]. Starts from the teacher's parameters, under the same names.
 * Gu et al. 2023, BOOT, arXiv:2306.05544.
 */
export const bootstrapped = definePlugin({
  name: "bootstrapped",
  kind: "generator",
  about: "Leads noise to any level of the teacher's path, started from the teacher",
  options: {
    sigmas: startLevel,
    sigmaMin: number({ default: 0.002, above: 0, about: "level that a sample is led to" }),
  },
  create({ sigmas, sigmaMin }, container): Generator {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const [sigmaMax] = pathLevels("bootstrapped", sigmas, [sigmaMin], process);
    const startScale = process.start(sigmaMax);
    const leading = leadingTo(network, process, sigmaMax);
    const bind: Generator["bind"] = (scope) => {
      const denoise: GeneratorNetwork["denoise"] = (x, _, condition) =>
        leading(scope, x, constant(sigmaMin, "f32", [x.shape[0]]), condition);
      const network: LeadingNetwork = {
        denoise,
        startsOnly: true,
        generate: oneCall({ denoise }, sigmaMax, shape, process),
        lead: (eps, level, condition) => leading(scope, mul(eps, startScale), level, condition),
      };
      return network;
    };
    return {
      sigmas: [sigmaMax],
      startScale,
      floor: sigmaMin,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, condition);
      },
    };
  },
});

/** What losses ask it for besides samples: ε [B, …] and levels s [B] → g(ε, s) [B, …]. */
interface LeadingNetwork extends GeneratorNetwork {
  lead(eps: Tensor, level: Tensor, condition: Condition): Tensor;
}
