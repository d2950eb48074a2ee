import { decreasingLevels, discreteTable, fallingTimesteps } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, type Generator, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { adapted, checkTargets } from "../../core/nn/mod.ts";
import { definePlugin, list, lowRank, number } from "../../core/plugin/mod.ts";
import {
  guidanceOf,
  guidanceOptions,
  type ToldGenerator,
  toldPlaceholders,
  toldScale,
} from "./shared/guidanceScale.ts";
import { oneCall } from "./shared/oneCall.ts";
import { timestepBoundary } from "./shared/timestepBoundary.ts";

/**
 * A latent consistency function over the network: the teacher's denoiser, held to its input at timestep 0.
 *   f(x; σ) = c_skip(t)·x/scale(σ) + c_out(t)·D(x; σ, w),   t the timestep of σ (timestepBoundary.ts)
 * w is the guidance scale, 1 is off, that the network is told where `guidanceScale` is given: `guidance` [B] of the condition. Timesteps are those of the process, of Stable Diffusion where it
 * has none. x [B, …], sigma [B] → [B, …]. Starts from the teacher's parameters, under the same names. With `lora` these stay
 * fixed, and low-rank adapters beside the named layers are trained. Luo et al. 2023, arXiv:2310.04378 and arXiv:2311.05556.
 */
export const latentConsistencyGenerator = definePlugin({
  name: "latent-consistency",
  kind: "generator",
  about: "Consistency function by timesteps, which may be told a scale of guidance; started from the teacher",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [10],
      about: "noise levels at which it is called, decreasing; as many as it takes steps",
    }),
    timesteps: list(number({ min: 0, integer: true }), {
      default: [],
      about: "in place of sigmas, for a process of timesteps; 999,759,499,259 for four steps",
    }),
    ...guidanceOptions,
    scaling: number({ default: 10, above: 0, about: "factor on the timestep in c_skip and c_out" }),
    sigmaData: number({ default: 0.5, above: 0, about: "σd of c_skip and c_out" }),
    lora: lowRank,
  },
  create({ sigmas, timesteps, lora, scaling, sigmaData, ...scales }, container): ToldGenerator {
    const { guidanceScale, draws } = guidanceOf("latent-consistency", { lora, ...scales });
    const [network, shape, process] = [container.get(NETWORK), container.get(DATA_SHAPE), container.get(PROCESS)];
    const table = { sigmas: process.sigmas ?? discreteTable().sigmas };
    const levels =
      timesteps.length > 0
        ? fallingTimesteps("latent-consistency", timesteps, table.sigmas.length).map((each) => table.sigmas[each])
        : decreasingLevels("latent-consistency", sigmas, table);
    const bind: Generator["bind"] = (given) => {
      const scope = adapted(given, lora);
      const denoiser = process.denoiser((x, cNoise, condition) =>
        network.apply(scope, x, cNoise, toldScale(condition, x.shape[0], guidanceScale)),
      );
      const bounded = timestepBoundary(denoiser, table, process.scale, { scaling, sigmaData });
      return { ...bounded, generate: oneCall(bounded, levels[0], shape, process) };
    };
    return {
      sigmas: levels,
      guidanceScale,
      draws,
      startScale: process.start(levels[0]),
      bind,
      declare(scope) {
        const { x, sigma, condition } = toldPlaceholders(shape);
        bind(scope).denoise(x, sigma, condition);
        const told = toldScale(condition, 1, guidanceScale);
        checkTargets("latent-consistency", lora, (own) => network.apply(own, x, sigma, told));
      },
    };
  },
});
