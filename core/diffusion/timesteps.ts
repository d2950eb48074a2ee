/**
 * Which timesteps of a noise process a sampler visits, as the public schedulers choose them (Lin et al. 2023,
 * arXiv:2305.08891, Table 2). All lists fall.
 */
import { failure } from "../errors.ts";

/** How the timesteps of a sampler can lie among those of a model. */
export const timestepSpacings = ["leading", "linspace", "trailing"] as const;
/** One of `timestepSpacings`. */
export type TimestepSpacing = (typeof timestepSpacings)[number];

/** Which timesteps a sampler takes. */
export interface TimestepOptions {
  /** How many, at least 1 and at most `count`. */
  readonly steps: number;
  /** Timesteps T of the process. */
  readonly count?: number;
  /**
   * `leading`: k·⌊T/steps⌋ + offset, from the lowest; `linspace`: 0 to T − 1 evenly; `trailing`: from T − 1 down in steps of
   * T/steps. One step of `leading` and `linspace` is timestep 0.
   */
  readonly spacing?: TimestepSpacing;
  /** Added by `leading`; 1 for SD. */
  readonly offset?: number;
}

/**
 * The timesteps of DDIM, DDPM and Euler samplers.
 * @param whole false keeps the fractions of `linspace`, which Euler samplers do
 * @throws E_OPTION when there are fewer than 1 or more than T steps, or the offset leads out of [0, T − 1]
 */
export function spacedTimesteps(options: TimestepOptions, whole = true): number[] {
  const { steps, count = 1000, spacing = "leading", offset = 0 } = options;
  checkSteps(steps, count);
  const rounded = whole ? roundHalfEven : (value: number) => value;
  const falling = (at: (k: number) => number) => Array.from({ length: steps }, (_, i) => at(steps - 1 - i));
  if (spacing === "trailing") return trailing(steps, count);
  if (spacing === "linspace") return falling((k) => rounded(steps === 1 ? 0 : (k * (count - 1)) / (steps - 1)));
  return inRange(
    falling((k) => k * Math.floor(count / steps) + offset),
    count,
  );
}

/** The timesteps of multistep solvers: one more than asked for, evenly spaced, and the lowest left out. */
export function solverTimesteps({ steps, count = 1000, spacing = "linspace", offset = 0 }: TimestepOptions): number[] {
  checkSteps(steps, count - 1);
  if (spacing === "trailing") return trailing(steps, count);
  const at = (k: number) =>
    spacing === "linspace" ? roundHalfEven((k * (count - 1)) / steps) : k * Math.floor(count / (steps + 1)) + offset;
  return inRange(
    Array.from({ length: steps }, (_, i) => at(steps - i)),
    count,
  );
}

/** The timesteps of consistency samplers (LCM, TCD): every ⌊count/grid⌋-th, of which `steps` are picked evenly. */
export function consistencyTimesteps({
  steps,
  count = 1000,
  grid = 50,
}: {
  readonly steps: number;
  readonly count?: number;
  /** Timesteps that the model was distilled at. */
  readonly grid?: number;
}): number[] {
  checkSteps(grid, count);
  checkSteps(steps, grid);
  const stride = Math.floor(count / grid);
  return Array.from({ length: steps }, (_, i) => (grid - Math.floor((i * grid) / steps)) * stride - 1);
}

/** The timesteps of DMD2's few-step generators: T − 1, then down in steps of ⌊T/steps⌋. 999, 749, 499, 249 for four. */
export function fewStepTimesteps(steps: number, count = 1000): number[] {
  checkSteps(steps, count);
  const stride = Math.floor(count / steps);
  const length = Math.max(1, Math.ceil((count - 1) / stride));
  return Array.from({ length }, (_, i) => count - 1 - i * stride);
}

/** A list that a user gave. @throws E_OPTION unless there are some, they fall, and are whole numbers in [0, count − 1] */
export function fallingTimesteps(owner: string, timesteps: readonly number[], count: number): readonly number[] {
  const fits = (timestep: number, i: number) =>
    Number.isInteger(timestep) && timestep >= 0 && timestep < count && (i === 0 || timestep < timesteps[i - 1]);
  if (timesteps.length === 0 || !timesteps.every(fits))
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: timesteps is [${timesteps.join(", ")}], should be decreasing whole numbers in [0, ${count - 1}]`,
    );
  return timesteps;
}

const trailing = (steps: number, count: number): number[] =>
  Array.from({ length: steps }, (_, i) => roundHalfEven(count - (i * count) / steps) - 1);

function checkSteps(steps: number, most: number): void {
  if (!Number.isInteger(steps) || steps < 1 || steps > most)
    throw failure("E_OPTION", `Cannot space timesteps: steps is ${steps}, should be a whole number in [1, ${most}]`);
}

function inRange(timesteps: number[], count: number): number[] {
  const outside = timesteps.find((timestep) => timestep < 0 || timestep >= count);
  if (outside !== undefined)
    throw failure("E_OPTION", `Cannot space timesteps: one is ${outside}, should be in [0, ${count - 1}]`, {
      fix: "use a smaller offset",
    });
  return timesteps;
}

/** To the nearest whole number; a half to the even one, as IEEE 754 and NumPy do. */
export function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
