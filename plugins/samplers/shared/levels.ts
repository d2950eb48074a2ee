/** Options that samplers of noise levels share: which levels, and where x starts. */
import {
  discreteTable,
  type SigmaSpacing,
  sigmaAt,
  sigmaSpacings,
  solverTimesteps,
  spacedSigmas,
  spacedTimesteps,
  type TimestepSpacing,
  timestepSpacings,
} from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import { choice, list, number, type OptionsOf } from "../../../core/plugin/mod.ts";
import { scheduleOption } from "./timesteps.ts";

export const levelOptions = {
  steps: number({ default: 18, min: 1, integer: true, about: "noise levels N" }),
  spacing: choice([...sigmaSpacings, ...timestepSpacings], {
    default: "karras",
    about: "how the levels lie: a curve from sigmaMax to sigmaMin, or at timesteps of `schedule`",
  }),
  sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level" }),
  sigmaMax: number({ default: 80, above: 0, about: "highest noise level" }),
  rho: number({ default: 7, above: 0, about: "bend of karras and polyexponential levels" }),
  sigmas: list(number({ min: 0 }), {
    default: [],
    about: "the levels themselves, decreasing, instead of a spacing",
  }),
  end: number({ default: 0, min: 0, about: "level after the last step" }),
  start: choice(["sigma", "unit"], {
    default: "sigma",
    about: "x starts as σ·ε, or as √(σ² + 1)·ε, as wide as noised data of variance 1",
  }),
  offset: number({ default: 0, min: 0, integer: true, about: "added to `leading` timesteps" }),
  schedule: scheduleOption,
};

/** Levels of a sampler's steps. */
export interface Levels {
  /** Decreasing; step i goes from sigmas[i] to sigmas[i + 1]. */
  readonly sigmas: readonly number[];
  readonly sigmaMax: number;
  readonly startScale: number;
}

/**
 * The levels that the options describe.
 * @param multistep timesteps are those of multistep solvers, which leave the lowest out, and always whole
 * @throws E_OPTION in the name of `owner` unless they fall
 */
export function levelsOf(
  owner: string,
  options: OptionsOf<typeof levelOptions>,
  multistep = false,
): Levels {
  const sigmas = [...chosen(options, multistep), options.end];
  const odd = sigmas.findIndex((sigma, i) => i > 0 && !(sigma < sigmas[i - 1]));
  if (odd > 0 || !Number.isFinite(sigmas[0]))
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: its levels are [${sigmas.map((sigma) => +sigma.toPrecision(4)).join(", ")}], should be finite and decreasing`,
      {
        fix: "check sigmas, end and the schedule; a schedule without signal at its last timestep has no finite level there",
      },
    );
  const [sigmaMax] = sigmas;
  return {
    sigmas,
    sigmaMax,
    startScale: options.start === "unit" ? Math.hypot(sigmaMax, 1) : sigmaMax,
  };
}

function chosen(
  { steps, spacing, sigmas, offset, schedule: table, ...bounds }: OptionsOf<typeof levelOptions>,
  multistep: boolean,
): readonly number[] {
  if (sigmas.length > 0) return sigmas;
  if (isSigmaSpacing(spacing)) return spacedSigmas(steps, spacing, bounds);
  const schedule = discreteTable(table);
  const wanted = { steps, spacing, offset, count: table.count };
  const timesteps = multistep ? solverTimesteps(wanted) : spacedTimesteps(wanted, false);
  return timesteps.map((timestep) => sigmaAt(schedule, timestep));
}

const isSigmaSpacing = (spacing: SigmaSpacing | TimestepSpacing): spacing is SigmaSpacing =>
  (sigmaSpacings as readonly string[]).includes(spacing);
