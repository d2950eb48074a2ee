/** Gaussians on a ring: the mixture, and points drawn from it. */
import { failure } from "../../../core/errors.ts";
import { portableCos, portableLog, portableSin } from "../../../core/random/mod.ts";

/** A mixture of isotropic Gaussians in the plane with one common standard deviation. */
export interface Mixture {
  /** Centres of the modes [K, 2], row-major. */
  readonly means: Float64Array;
  /** Probability of each mode [K]; sums to 1. */
  readonly weights: Float64Array;
  /** Standard deviation of every mode along each axis. */
  readonly std: number;
}

/** Modes on a ring, evenly spaced, the first on the positive x axis. */
export interface RingOptions {
  /** Number of modes, from 1. Default 8. */
  readonly modes?: number;
  /** Distance of every mode from the origin, at least 0. Default 1. */
  readonly radius?: number;
  /** Standard deviation of each mode, above 0. Default 0.12: the 3-std discs of eight modes are just disjoint. */
  readonly std?: number;
  /** Distance of each mode, instead of `radius`: a ring with modes out of place, to train a wrong teacher on. */
  readonly radii?: readonly number[];
  /** Relative frequency of each mode, positive. Default equal. */
  readonly weights?: readonly number[];
}

/** The mixture that the options describe. Throws E_OPTION when one is out of range. */
export function ringMixture(options: RingOptions = {}): Mixture {
  const { modes = 8, radius = 1, std = 0.12 } = options;
  const refuse = (why: string) => failure("E_OPTION", `Cannot make gaussians: ${why}`);
  if (!Number.isInteger(modes) || modes < 1) throw refuse(`modes is ${modes}, should be an integer of at least 1`);
  if (!(std > 0 && std < Number.POSITIVE_INFINITY)) throw refuse(`std is ${std}, should be above 0`);
  const radii = options.radii ?? new Array<number>(modes).fill(radius);
  const relative = options.weights ?? new Array<number>(modes).fill(1);
  for (const [name, list] of Object.entries({ radii, weights: relative }))
    if (list.length !== modes)
      throw refuse(`${name} has ${list.length} values, should have one for each of ${modes} modes`);
  const bad = radii.find((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY));
  if (bad !== undefined) throw refuse(`a radius is ${bad}, should be at least 0`);
  const total = relative.reduce((sum, value) => sum + value, 0);
  if (!relative.every((value) => value > 0) || !Number.isFinite(total))
    throw refuse(`weights are [${relative.join(", ")}], should be positive`);
  const means = Float64Array.from({ length: 2 * modes }, (_, i) => {
    const angle = (2 * Math.PI * (i >> 1)) / modes;
    return radii[i >> 1] * (i % 2 ? portableSin(angle) : portableCos(angle));
  });
  return { means, weights: Float64Array.from(relative, (value) => value / total), std };
}

/** `count` points [count, 2]; `random` is called three times for each. */
export const drawPoints = (mixture: Mixture, count: number, random: () => number): Float32Array =>
  drawFromModes(mixture, count, random).x;

/** The same points, and the mode of each, [count]. */
export function drawFromModes(
  { means, weights, std }: Mixture,
  count: number,
  random: () => number,
): { readonly x: Float32Array; readonly modes: Int32Array } {
  const x = new Float32Array(2 * count);
  const modes = new Int32Array(count);
  for (let b = 0; b < count; b++) {
    const mode = pick(weights, random());
    modes[b] = mode;
    // Box and Muller: one uniform pair gives one normal pair. 1 - u is never 0, so the logarithm is finite.
    const length = std * Math.sqrt(-2 * portableLog(1 - random()));
    const angle = 2 * Math.PI * random();
    x[2 * b] = means[2 * mode] + length * portableCos(angle);
    x[2 * b + 1] = means[2 * mode + 1] + length * portableSin(angle);
  }
  return { x, modes };
}

/** The index whose stretch of the cumulative weights holds `u` in [0, 1). */
function pick(weights: Float64Array, u: number): number {
  let left = u;
  for (let k = 0; k < weights.length - 1; k++) {
    left -= weights[k];
    if (left < 0) return k;
  }
  return weights.length - 1; // also where rounding left a remainder
}
