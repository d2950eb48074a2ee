/** Options that samplers of noise levels share: which levels. */
import {
  checkKnownLevel,
  type SigmaSpacing,
  sigmaSpacings,
  solverTimesteps,
  spacedSigmas,
  spacedTimesteps,
  type TimestepSpacing,
  timestepSpacings,
} from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { NoiseProcess } from "../../../core/interfaces/mod.ts";
import { boolean, choice, list, number, type OptionsOf } from "../../../core/plugin/mod.ts";
import { timestepsOf } from "./timesteps.ts";

export const levelOptions = {
  steps: number({ default: 18, min: 1, max: 10_000, integer: true, about: "noise levels N" }),
  spacing: choice([...sigmaSpacings, ...timestepSpacings], {
    default: "karras",
    about: "how the levels lie: a curve from sigmaMax to sigmaMin, or at timesteps of the process",
  }),
  sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level" }),
  sigmaMax: number({ default: 80, above: 0, about: "highest noise level" }),
  rho: number({ default: 7, above: 0, about: "bend of karras and polyexponential levels" }),
  sigmas: list(number({ min: 0 }), {
    default: [],
    about: "the levels themselves, decreasing, instead of a spacing",
  }),
  end: number({ default: 0, min: 0, about: "level after the last step" }),
  offset: number({ default: 0, min: 0, integer: true, about: "added to `leading` timesteps" }),
  startAtLevel: boolean({
    default: false,
    about: "start from noise of the first level, and not from what the process starts from",
  }),
};

/** Levels of a sampler's steps. */
export interface Levels {
  /** Decreasing; step i goes from sigmas[i] to sigmas[i + 1]. */
  readonly sigmas: readonly number[];
  readonly sigmaMax: number;
  /** x starts as startScale · ε. */
  readonly startScale: number;
}

/**
 * The levels that the options describe, and where samples start: x = start(σ_max)·ε as the run's process has it, √(1 + σ²) for
 * timesteps, or σ_max·ε with `startAtLevel`, as the public Euler schedulers do with the spacings linspace and trailing.
 * @param multistep timesteps are those of multistep solvers, which leave the lowest out, and always whole
 * @throws E_OPTION in the name of `owner` unless they fall and the process knows the first, or if they lie at timesteps and it knows
 * none
 */
export function levelsOf(
  owner: string,
  options: OptionsOf<typeof levelOptions>,
  process: NoiseProcess,
  multistep = false,
): Levels {
  const sigmas = [...chosen(owner, options, process, multistep), options.end];
  const odd = sigmas.findIndex((sigma, i) => i > 0 && !(sigma < sigmas[i - 1]));
  if (odd > 0 || !Number.isFinite(sigmas[0]))
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: its levels are [${sigmas.map((sigma) => +sigma.toPrecision(4)).join(", ")}], should be finite and decreasing`,
      {
        fix: "check sigmas, end and the process; a timestep of pure noise has no finite level",
      },
    );
  const [sigmaMax] = sigmas;
  checkKnownLevel(owner, sigmaMax, process);
  return { sigmas, sigmaMax, startScale: options.startAtLevel ? sigmaMax : process.start(sigmaMax) };
}

function chosen(
  owner: string,
  { steps, spacing, sigmas, offset, ...bounds }: OptionsOf<typeof levelOptions>,
  process: NoiseProcess,
  multistep: boolean,
): readonly number[] {
  if (sigmas.length > 0) return sigmas;
  if (isSigmaSpacing(spacing)) return spacedSigmas(steps, spacing, bounds);
  const { count, sigmaAt } = timestepsOf(owner, process);
  const wanted = { steps, spacing, offset, count };
  return (multistep ? solverTimesteps(wanted) : spacedTimesteps(wanted, false)).map(sigmaAt);
}

const isSigmaSpacing = (spacing: SigmaSpacing | TimestepSpacing): spacing is SigmaSpacing =>
  (sigmaSpacings as readonly string[]).includes(spacing);
