/** Options that samplers of discrete timesteps share: the table of noise levels, and which timesteps. */
import {
  betaCurves,
  type DiscreteTable,
  discreteTable,
  fallingTimesteps,
  type Mixing,
  mixingAt,
  spacedTimesteps,
  timestepSpacings,
} from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import { clamp } from "../../../core/ops/mod.ts";
import {
  boolean,
  choice,
  group,
  list,
  number,
  type OptionsOf,
  optional,
} from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";

/** The teacher's table of noise levels. */
export const scheduleOption = group(
  {
    curve: choice(betaCurves, { default: "scaledLinear", about: "how β grows" }),
    betaStart: number({ default: 0.00085, above: 0, max: 1, about: "β of timestep 0" }),
    betaEnd: number({ default: 0.012, above: 0, max: 1, about: "β of the last timestep" }),
    count: number({ default: 1000, min: 1, integer: true, about: "timesteps T, 0…T−1" }),
    zeroTerminalSnr: boolean({
      default: false,
      about: "rescale, so that the last timestep is pure noise",
    }),
  },
  { about: "table of noise levels of a discrete teacher" },
);

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
  steps: number({ default: 50, min: 1, integer: true, about: "network calls" }),
  spacing: choice(timestepSpacings, {
    default: "leading",
    about: "from the lowest timestep in whole strides, evenly, or from the highest",
  }),
  offset: number({ default: 0, min: 0, integer: true, about: "added to `leading` timesteps" }),
  timesteps: timestepsOption,
  clip: clipOption,
  schedule: scheduleOption,
};

/** One step between two timesteps. */
export interface Stride {
  readonly timestep: number;
  /** Where the step leads; below 0 is the clean sample. */
  readonly previous: number;
}

/**
 * The strides of DDIM and DDPM: each goes ⌊T/steps⌋ down, whatever timestep comes next, as the public schedulers have it;
 * with a list of timesteps, each to the next.
 */
export function stridesOf(
  owner: string,
  { steps, spacing, offset, timesteps, schedule }: OptionsOf<typeof timestepOptions>,
): Stride[] {
  const { count } = schedule;
  if (timesteps.length > 0) return between(fallingTimesteps(owner, timesteps, count), -1);
  const stride = Math.floor(count / steps);
  return spacedTimesteps({ steps, spacing, offset, count }).map((timestep) => ({
    timestep,
    previous: timestep - stride,
  }));
}

/** Each timestep to the next, the last to `end`. */
export const between = (timesteps: readonly number[], end: number): Stride[] =>
  timesteps.map((timestep, i) => ({ timestep, previous: timesteps[i + 1] ?? end }));

/** Both ends of a step on a table. */
export interface Ends {
  readonly from: Mixing;
  readonly to: Mixing;
  /** σ at `from`, of x / from.signal. */
  readonly sigma: number;
}

/**
 * The table of the options, and how x is mixed at both ends of every step.
 * @param clean mixing below timestep 0; pure signal when absent
 * @throws E_OPTION in the name of `owner` for a timestep without signal, which says nothing about the clean sample
 */
export function endsOf(
  owner: string,
  schedule: DiscreteTable,
  strides: readonly Stride[],
  clean: Mixing = { signal: 1, noise: 0 },
): Ends[] {
  return strides.map(({ timestep, previous }) => {
    const from = mixingAt(schedule, timestep);
    if (from.signal === 0)
      throw failure(
        "E_OPTION",
        `Cannot configure ${owner}: timestep ${timestep} is pure noise, should have some signal`,
        { fix: "switch schedule.zeroTerminalSnr off, or start from a lower timestep" },
      );
    const to = previous < 0 ? clean : mixingAt(schedule, previous);
    return { from, to, sigma: schedule.sigmas[timestep] };
  });
}

/** The table that the option describes. */
export const tableOf = (schedule: OptionsOf<typeof timestepOptions>["schedule"]) =>
  discreteTable(schedule);

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

/** The predicted clean sample within its bounds, if there are any. */
export const clipped = (denoised: Tensor, clip: number | undefined): Tensor =>
  clip === undefined ? denoised : clamp(denoised, { min: -clip, max: clip });
