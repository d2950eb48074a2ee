import { placeholders } from "../../core/diffusion/mod.ts";
import {
  type Condition,
  DATA_SHAPE,
  type Generator,
  type GeneratorNetwork,
  NETWORK,
  PROCESS,
} from "../../core/interfaces/mod.ts";
import { linear, type Scope, zeros } from "../../core/nn/mod.ts";
import { add, concat, constant, mul, reshape, split, transpose } from "../../core/ops/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import { sizeOf, type Tensor } from "../../core/tensor/mod.ts";
import { oneCall } from "./shared/oneCall.ts";
import { leadingTo, pathLevels, startLevel } from "./shared/startNoise.ts";
import { temporalBlock } from "./shared/temporalBlock.ts";

/**
 * A neural operator: one call leads noise to every point of the teacher's path at once.
 *   F_m = F(ε; level σ_m) for the M levels, as one batch;   h = W_in [F, ε] at every place;   temporal blocks over m (shared/temporalBlock.ts)
 *   x(σ_m) = (σ_m/σ_0)·s_0·ε + (1 − σ_m/σ_0)·D_m,  D_m from F_m + W_out h_m;   a sample is D at the last level, `sigmaMin`
 * The paper has its blocks between the layers of a U-Net; here they follow the network, so that every network can be one. W_out starts
 * at zero, and all else from the teacher. Costs M network calls, as one. [B, …] → [B, …].
 * Zheng et al. 2022, DFNO, arXiv:2211.13449.
 */
export const operator = definePlugin({
  name: "operator",
  kind: "generator",
  about: "Leads noise to all points of the teacher's path at once, with convolutions over time",
  options: {
    sigmas: startLevel,
    levels: list(number({ above: 0 }), {
      default: [],
      about: "noise levels of the points between noise and sample, decreasing; none is knowledge distillation",
    }),
    sigmaMin: number({ default: 0.002, above: 0, about: "level that a sample is led to" }),
    width: number({ default: 32, min: 1, integer: true, about: "channels of the temporal blocks" }),
    blocks: number({ default: 2, min: 0, integer: true, about: "temporal blocks" }),
  },
  create({ sigmas, levels, sigmaMin, width, blocks }, container): Generator {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const [sigmaMax, ...points] = pathLevels("operator", sigmas, [...levels, sigmaMin], process);
    const M = points.length;
    const startScale = process.start(sigmaMax);
    const apply: typeof network.apply = (scope, x, cNoise, condition) => {
      const F = network.apply(scope, x, cNoise, condition);
      if (blocks === 0 || M === 1) return F;
      const own = scope.at("operator");
      let h = linear(own.at("in"), channelsLast(concat([F, x], 1), M), width);
      for (let i = 0; i < blocks; i++) h = temporalBlock(own.at(i), h);
      return add(F, channelsFirst(linear(own.at("out"), h, x.shape[1], { init: zeros }), x.shape));
    };
    const leading = leadingTo({ ...network, apply }, process, sigmaMax);
    /** D at every level, of s_0·ε. */
    const predict = (scope: Scope, start: Tensor, condition: Condition): Tensor[] => {
      const [B] = start.shape;
      const told = concat(
        points.map((level) => constant(level, "f32", [B])),
        0,
      );
      const all = leading(scope, repeated(start, M), told, repeatedEntries(condition, M));
      return split(all, M, 0);
    };
    const bind: Generator["bind"] = (scope) => {
      const denoise: GeneratorNetwork["denoise"] = (x, _, condition) => predict(scope, x, condition)[M - 1];
      const bound: TrajectoryNetwork = {
        denoise,
        calls: M,
        startsOnly: true,
        generate: oneCall({ denoise }, sigmaMax, shape, process),
        trajectory(eps, condition) {
          const start = mul(eps, startScale);
          const kept = points.map((level, m) => (m === M - 1 ? 0 : level / sigmaMax));
          return predict(scope, start, condition).map((D, m) =>
            kept[m] === 0 ? D : add(mul(start, kept[m]), mul(D, 1 - kept[m])),
          );
        },
      };
      return bound;
    };
    const made: TrajectoryGenerator = {
      sigmas: [sigmaMax],
      startScale,
      levels,
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        bind(scope).denoise(x, sigma, condition);
      },
      inherits: (parameter) => (parameter.startsWith("operator.") ? undefined : parameter),
    };
    return made;
  },
});

/** What losses ask it for besides samples: ε [B, …] → the path's states at `levels`, and the sample, [B, …] each. */
interface TrajectoryNetwork extends GeneratorNetwork {
  trajectory(eps: Tensor, condition: Condition): Tensor[];
}
interface TrajectoryGenerator extends Generator {
  readonly levels: readonly number[];
}

const repeated = (x: Tensor, M: number): Tensor => concat(new Array<Tensor>(M).fill(x), 0);
const repeatedEntries = (condition: Condition, M: number): Condition =>
  Object.fromEntries(Object.entries(condition).map(([name, entry]) => [name, entry && repeated(entry, M)]));

/** [M·B, C, …] → [M, B·places, C]. */
function channelsLast(x: Tensor, M: number): Tensor {
  const [rows, C, ...rest] = x.shape;
  const places = sizeOf(rest);
  return reshape(transpose(reshape(x, [rows, C, places]), [0, 2, 1]), [M, (rows / M) * places, C]);
}

/** The reverse, to a shape [M·B, C, …]. */
function channelsFirst(h: Tensor, shape: readonly number[]): Tensor {
  const [rows, C, ...rest] = shape;
  return reshape(transpose(reshape(h, [rows, sizeOf(rest), C]), [0, 2, 1]), shape);
}
