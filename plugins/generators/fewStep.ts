import { backwardSimulation, decreasingLevels, fallingTimesteps, type NoiseSource } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import {
  type Condition,
  DATA_SHAPE,
  type Denoiser,
  type Generator,
  NETWORK,
  type NoiseProcess,
  PROCESS,
} from "../../core/interfaces/mod.ts";
import { adapted, checkTargets } from "../../core/nn/mod.ts";
import { add, constant, constantArray, equal, mul, reshape, takeRows, where } from "../../core/ops/mod.ts";
import { choice, definePlugin, list, lowRank, number } from "../../core/plugin/mod.ts";
import type { Shape, Tensor } from "../../core/tensor/mod.ts";
import {
  guidanceOf,
  guidanceOptions,
  type ToldGenerator,
  toldPlaceholders,
  toldScale,
} from "./shared/guidanceScale.ts";

/**
 * The few-step generator: the teacher's denoiser, called at a few fixed noise levels.
 *   one level:    x = D(σ·ε; σ)
 *   n levels:     x = D(y_j; σ_j),  j ~ U{0…n−1} per sample,  y_0 = σ_0·ε,  y_i = sg[D(y_{i−1}; σ_{i−1})] + σ_i·ε
 * A process of timesteps starts from y_0 = √(1 + σ_0²)·ε instead: noise of variance 1 as the network sees it.
 * The second is backward simulation: the generator itself makes y_j from noise in j steps, and only the last call carries a
 * gradient. With `inputs: "real"` y_i is a real sample noised to σ_i instead, for i > 0; "real-always", as FastGen has it, for
 * all i where there are several. → x [B, …]. Starts from the teacher's parameters, under the same names. With `guidanceScale`
 * the network is told one, `guidance` [B] of the condition or this; it learns those from `guidanceMin` to `guidanceMax`. With `lora` the parameters stay fixed, and low-rank
 * adapters beside the named layers are trained.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, sections 4.4 and 4.5.
 */
export const fewStep = definePlugin({
  name: "few-step",
  kind: "generator",
  about: "One- or few-step generator over the network, started from the teacher",
  options: {
    sigmas: list(number({ above: 0 }), {
      default: [80],
      about: "noise levels at which it is called, decreasing; as many as it takes steps",
    }),
    timesteps: list(number({ min: 0, integer: true }), {
      default: [],
      about: "in place of sigmas, for a process of timesteps; 999,749,499,249 for four steps",
    }),
    inputs: choice(["simulated", "real", "real-always"], {
      default: "simulated",
      about: "what later steps start from in training: what the generator itself makes, or real samples; the first too",
    }),
    drawStep: choice(["sample", "batch", "place"], {
      default: "sample",
      about: "whose step is trained: each sample draws its own, the batch one for all, or samples take them in turn",
    }),
    ...guidanceOptions,
    lora: lowRank,
  },
  create(options, container): ToldGenerator {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const sigmas = levelsOf(options, process);
    const { lora, drawStep } = options;
    const { guidanceScale, draws } = guidanceOf("few-step", options);
    if (draws && guidanceScale === undefined)
      throw failure(
        "E_OPTION",
        `Cannot configure few-step: it learns guidance scales ${options.guidanceMin} to ${options.guidanceMax}, and there is none to draw samples with`,
        { fix: `set generator.guidanceScale, such as ${options.guidanceMin}` },
      );
    const startsFromReal = options.inputs !== "simulated" && sigmas.length > 1;
    const first = options.inputs === "real" ? 1 : 0;
    const bind: Generator["bind"] = (given) => {
      const scope = adapted(given, lora);
      const denoiser = process.denoiser((x, cNoise, condition) =>
        network.apply(scope, x, cNoise, toldScale(condition, x.shape[0], guidanceScale)),
      );
      return {
        ...denoiser,
        startsFromReal,
        generate(count, condition, noise, real) {
          const like = [count, ...shape.sample];
          const { x, sigma } =
            sigmas.length === 1
              ? firstRung(sigmas[0], process, like, noise)
              : drawnRung(
                  sigmas,
                  drawStep,
                  like,
                  noise,
                  (start) =>
                    real && startsFromReal
                      ? noisedRungs(real.x, sigmas, start, noise, first)
                      : simulatedRungs(denoiser, sigmas, start, condition, noise),
                  process,
                );
          return denoiser.denoise(x, sigma, condition);
        },
      };
    };
    return {
      sigmas,
      guidanceScale,
      draws,
      startScale: process.start(sigmas[0]),
      ...(drawStep === "place" && { rungs: (count) => levelsAt(sigmas, places(count, sigmas)) }),
      bind,
      declare(scope) {
        const { x, sigma, condition } = toldPlaceholders(shape);
        bind(scope).denoise(x, sigma, condition);
        const told = toldScale(condition, 1, guidanceScale);
        checkTargets("few-step", lora, (own) => network.apply(own, x, sigma, told));
      },
      inherits: (parameter) => parameter,
    };
  },
});

/** The levels, however they are given. Throws E_OPTION unless there are some, they fall, and the process has them. */
function levelsOf(
  { sigmas, timesteps }: { readonly sigmas: readonly number[]; readonly timesteps: readonly number[] },
  process: NoiseProcess,
): readonly number[] {
  if (timesteps.length === 0) return decreasingLevels("few-step", sigmas, process);
  const known = process.sigmas;
  if (!known)
    throw failure(
      "E_OPTION",
      "Cannot configure few-step: timesteps are given, and the run has no process that knows timesteps",
      { fix: "give sigmas, or use the process `discrete`" },
    );
  return fallingTimesteps("few-step", timesteps, known.length).map((timestep) => known[timestep]);
}

/** A noisy input and the level it has. */
interface NoisyInput {
  readonly x: Tensor;
  /** [B] */
  readonly sigma: Tensor;
}

const firstRung = (sigma: number, process: NoiseProcess, shape: Shape, noise: NoiseSource): NoisyInput => ({
  x: mul(noise.normal(shape), process.start(sigma)),
  sigma: constant(sigma, "f32", [shape[0]]),
});

/** The generator's own samples after 0, 1, … steps, noised to the level of the next step. */
const simulatedRungs = (
  denoiser: Denoiser,
  sigmas: readonly number[],
  start: Tensor,
  condition: Condition,
  noise: NoiseSource,
): Tensor[] =>
  [...backwardSimulation(denoiser, sigmas, start, condition, () => noise.normalLike(start))].map((rung) => rung.x);

/** Real samples noised to the level of each step from `first` on, and noise alone for those before it, as when sampling. */
const noisedRungs = (
  x: Tensor,
  sigmas: readonly number[],
  start: Tensor,
  noise: NoiseSource,
  first: number,
): Tensor[] => [
  ...[start].slice(0, first),
  ...sigmas.slice(first).map((sigma) => add(x, mul(noise.normalLike(x), sigma))),
];

/** The inputs of all steps are made for all samples: a static graph, and every sample can take its own. */
function drawnRung(
  sigmas: readonly number[],
  drawStep: "sample" | "batch" | "place",
  shape: Shape,
  noise: NoiseSource,
  rungsFrom: (start: Tensor) => readonly Tensor[],
  process: NoiseProcess,
): NoisyInput {
  const [B] = shape;
  const draw = {
    sample: () => noise.integers(B, 0, sigmas.length),
    batch: () => add(noise.commonInteger(0, sigmas.length), constant(0, "i32", [B])),
    place: () => places(B, sigmas),
  };
  const index = draw[drawStep]();
  const taken = (rung: number) => reshape(equal(index, rung), [B, ...new Array<number>(shape.length - 1).fill(1)]);
  const { x: start } = firstRung(sigmas[0], process, shape, noise);
  const x = rungsFrom(start).reduce((chosen, other, rung) => where(taken(rung), other, chosen));
  return { x, sigma: levelsAt(sigmas, index) };
}

/** 0, 1, … n−1, 0, …: the step of each sample by its place, i32 [B]. */
const places = (count: number, { length }: readonly number[]): Tensor =>
  constantArray(
    Array.from({ length: count }, (_, place) => place % length),
    [count],
    "i32",
  );

const levelsAt = (sigmas: readonly number[], index: Tensor): Tensor =>
  reshape(takeRows(constantArray(sigmas, [sigmas.length, 1]), index), index.shape);
