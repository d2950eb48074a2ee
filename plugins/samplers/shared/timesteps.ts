/** For samplers of timesteps: which timesteps of the run's process they visit, and how x_t is mixed at both ends of a step. */
import {
  fallingTimesteps,
  type Mixing,
  sigmaAt,
  spacedTimesteps,
  timestepSpacings,
} from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { NoiseProcess, Sampler, SamplerRule } from "../../../core/interfaces/mod.ts";
import { add, clamp, mul } from "../../../core/ops/mod.ts";
import { choice, list, number, type OptionsOf, optional } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { named } from "./rules.ts";

/** A list of timesteps in place of a rule. */
export const timestepsOption = list(number({ min: 0, integer: true }), {
  default: [],
  about: "the timesteps themselves, decreasing, instead of a spacing",
});

/** Bounds of the predicted clean sample. */
export const clipOption = optional(number({ above: 0 }), {
  about: "clip the predicted clean sample to [−clip, clip]; none is off",
});

export const timestepOptions = {
  steps: number({ default: 50, min: 1, max: 10_000, integer: true, about: "network calls" }),
  spacing: choice(timestepSpacings, {
    default: "leading",
    about: "from the lowest timestep in whole strides, evenly, or from the highest",
  }),
  offset: number({ default: 0, min: 0, integer: true, about: "added to `leading` timesteps" }),
  timesteps: timestepsOption,
  clip: clipOption,
};

/** The timesteps of a process. */
export interface Timesteps {
  /** T; timesteps are 0 … T − 1. */
  readonly count: number;
  /** σ of a timestep, whole or between two; infinite where it is pure noise. */
  sigmaAt(timestep: number): number;
}

/** @throws E_OPTION in the name of `owner` for a process that knows noise levels only, as EDM's */
export function timestepsOf(owner: string, { sigmas, count }: NoiseProcess): Timesteps {
  if (!sigmas)
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: it goes by timesteps, and the run has no process that knows timesteps`,
      {
        fix: "use the process `discrete`, or a sampler and a spacing of noise levels: `heun`, `karras`",
      },
    );
  return {
    count: count ?? sigmas.length,
    sigmaAt: (timestep) => (timestep > sigmas.length - 1 ? Infinity : sigmaAt({ sigmas }, timestep)),
  };
}

/** One step between two timesteps. */
export interface Stride {
  readonly timestep: number;
  /** Where the step leads; below 0 is the clean sample. */
  readonly previous: number;
}

/**
 * The strides of DDIM and DDPM, each to the next timestep. Spaced over a table, each goes ⌊T/steps⌋ down instead, whatever
 * timestep comes next, as the public schedulers have it.
 */
export function stridesOf(
  owner: string,
  process: NoiseProcess,
  { steps, spacing, offset, timesteps }: Omit<OptionsOf<typeof timestepOptions>, "clip">,
): Stride[] {
  const { count } = timestepsOf(owner, process);
  if (timesteps.length > 0) return between(fallingTimesteps(owner, timesteps, count), -1);
  const spaced = spacedTimesteps({ steps, spacing, offset, count });
  if (process.count === undefined) return between(spaced, -1);
  return spaced.map((timestep) => ({ timestep, previous: timestep - Math.floor(count / steps) }));
}

/** Each timestep to the next, the last to `end`. */
export const between = (timesteps: readonly number[], end: number): Stride[] =>
  timesteps.map((timestep, i) => ({ timestep, previous: timesteps[i + 1] ?? end }));

/** The model's own noisy image at a level: x_t = signal·x0 + noise·ε, σ = noise/signal. */
export interface Mixed extends Mixing {
  readonly sigma: number;
}

/** signal = 1/scale(σ), noise = σ/scale(σ). */
export function mixedAt(process: NoiseProcess, sigma: number): Mixed {
  const signal = 1 / process.scale(sigma);
  return { sigma, signal, noise: sigma * signal };
}

/** Numbers of a step with which D is asked: of widen·x at σ. */
export const inputOf = ({ sigma, signal }: Mixed) => ({ sigma, widen: 1 / signal });

/** Both ends of a step. */
export interface Ends {
  readonly from: Mixed;
  readonly to: Mixed;
}

/**
 * How x_t is mixed at both ends of every step.
 * @param end level below timestep 0, that of the clean sample
 * @throws E_OPTION in the name of `owner` for a timestep without signal, which says nothing about the clean sample
 */
export function endsOf(owner: string, process: NoiseProcess, strides: readonly Stride[], end = 0): Ends[] {
  const { sigmaAt } = timestepsOf(owner, process);
  return strides.map(({ timestep, previous }) => {
    const sigma = sigmaAt(timestep);
    if (sigma === Infinity)
      throw failure(
        "E_OPTION",
        `Cannot configure ${owner}: timestep ${timestep} is pure noise, should have some signal`,
        {
          fix: "start from a lower timestep, as `leading` does; only networks that predict velocity or sample start there",
        },
      );
    const to = mixedAt(process, previous < 0 ? end : sigmaAt(previous));
    return { from: mixedAt(process, sigma), to };
  });
}

/** Where a sampler of x_t starts: with noise as the process has it at the first level, in the scale of x_t. */
export function startOf(process: NoiseProcess, [{ from }]: readonly Ends[]): Pick<Sampler, "sigmaMax" | "startScale"> {
  const { sigma } = from;
  return { sigmaMax: sigma, startScale: process.start(sigma) / process.scale(sigma) };
}

/**
 * Factors of a_p·x0 + noise·(x − a·x0)/b: `keep` of x, `take` and `leave` of the clean sample in its two places.
 * @param to signal a_p where the step leads
 */
export const ddimFactors = (
  from: Mixing,
  to: { readonly signal: number },
  noise: number,
): { readonly keep: number; readonly take: number; readonly leave: number } => ({
  keep: noise / from.noise,
  take: to.signal,
  leave: -(noise * from.signal) / from.noise,
});

/** b·√(1 − σ_low²/σ_high²): at b of the lower level what ancestral steps add, at b of the higher one what noising adds. */
export const noiseBetween = (high: Mixed, low: Mixed, { noise }: Mixing): number =>
  noise * Math.sqrt(Math.max(1 - (low.sigma / high.sigma) ** 2, 0));

/** x ← take·x0 + keep·x, x0 = D(widen·x; σ) within ±clip. */
export const predictStep = (clip: number | undefined): SamplerRule =>
  named("predictStep", (x, { sigma, widen, take, keep }, model) =>
    add(mul(take, clipped(model.denoise(mul(x, widen), sigma), clip)), mul(keep, x)),
  );

/** x ← keep·x + take·x0 + leave·D, D = D(widen·x; σ), x0 = D within ±clip, which with `clipNoise` both are. */
export const ddimStep = (clip: number | undefined, clipNoise = false): SamplerRule =>
  named("ddimStep", (x, { sigma, widen, keep, take, leave }, model) => {
    const denoised = model.denoise(mul(x, widen), sigma);
    const clean = clipped(denoised, clip);
    const parted = add(mul(take, clean), mul(leave, clipNoise ? clean : denoised));
    return add(mul(keep, x), parted);
  });

const clipped = (denoised: Tensor, clip: number | undefined): Tensor =>
  clip === undefined ? denoised : clamp(denoised, { min: -clip, max: clip });
