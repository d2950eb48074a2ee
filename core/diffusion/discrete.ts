import { failure } from "../errors.ts";

/** How β grows over the timesteps of a discrete teacher. */
export const betaCurves = ["linear", "scaledLinear", "squaredCosine"] as const;
/** One of `betaCurves`. */
export type BetaCurve = (typeof betaCurves)[number];

/** Settings of a discrete variance-preserving process. */
export interface DiscreteOptions {
  /**
   * `linear`: β evenly spaced (DDPM); `scaledLinear`: √β evenly spaced (SD1.5, SDXL); `squaredCosine`: from
   * ᾱ(u) = cos²((u + 0.008)/1.008 · π/2), β at most 0.999 (Nichol & Dhariwal 2021, arXiv:2102.09672).
   */
  readonly curve?: BetaCurve;
  /** β of timestep 0, in (0, 1); `squaredCosine` has its own. */
  readonly betaStart?: number;
  /** β of the last timestep, in (0, 1). */
  readonly betaEnd?: number;
  /** Timesteps T, 0…T−1. */
  readonly count?: number;
  /** Rescales the table so that the last timestep is pure noise, ᾱ = 0 (Lin et al. 2023, arXiv:2305.08891, Algorithm 1). */
  readonly zeroTerminalSnr?: boolean;
  /** `float32` rounds every table as the public libraries do, for numbers that have to agree with theirs. */
  readonly precision?: "float32" | "float64";
}

/**
 * The tables of a discrete variance-preserving process of T timesteps, index = timestep:
 * x_t = √ᾱ_t·x0 + √(1 − ᾱ_t)·ε, with ᾱ_t = Π_{i ≤ t} (1 − β_i). Divided by √ᾱ_t it is x0 + σ_t·ε.
 */
export interface DiscreteTable {
  readonly betas: readonly number[];
  readonly alphasCumprod: readonly number[];
  /** σ_t = √((1 − ᾱ_t)/ᾱ_t), increasing; infinite where ᾱ is 0. */
  readonly sigmas: readonly number[];
}

/** √ᾱ_t and √(1 − ᾱ_t): what a timestep keeps of the sample and how much noise it has. */
export interface Mixing {
  readonly signal: number;
  readonly noise: number;
}

/** Betas and noise levels of all timesteps. @throws E_OPTION when β is outside (0, 1) or falls, or there is no timestep */
export function discreteTable({
  curve = "scaledLinear",
  betaStart = 0.00085,
  betaEnd = 0.012,
  count = 1000,
  zeroTerminalSnr = false,
  precision = "float64",
}: DiscreteOptions = {}): DiscreteTable {
  if (!Number.isInteger(count) || count < 1) throw refuse(`count is ${count}, should be a whole number above 0`);
  if (!(betaStart > 0 && betaStart <= betaEnd && betaEnd < 1))
    throw refuse(`betaStart is ${betaStart} and betaEnd ${betaEnd}, should be in (0, 1) and not fall`);
  const round = precision === "float32" ? Math.fround : (value: number) => value;
  const plain = betasOf(curve, betaStart, betaEnd, count).map(round);
  const betas = zeroTerminalSnr ? zeroSnr(plain, round) : plain;
  const alphasCumprod = products(betas, round);
  return {
    betas,
    alphasCumprod,
    sigmas: alphasCumprod.map((abar) => round(Math.sqrt(round(round(1 - abar) / abar)))),
  };
}

function betasOf(curve: BetaCurve, start: number, end: number, count: number): number[] {
  const between = (from: number, to: number, i: number) =>
    count === 1 ? from : from + ((to - from) * i) / (count - 1);
  const cosine = (u: number) => Math.cos(((u + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  return Array.from({ length: count }, (_, i) => {
    if (curve === "linear") return between(start, end, i);
    if (curve === "scaledLinear") return between(Math.sqrt(start), Math.sqrt(end), i) ** 2;
    return Math.min(1 - cosine((i + 1) / count) / cosine(i / count), 0.999);
  });
}

function products(betas: readonly number[], round: (value: number) => number): number[] {
  let product = 1;
  return betas.map((beta) => round((product *= round(1 - beta))));
}

/** √ᾱ shifted and stretched: the first stays, the last becomes 0. */
function zeroSnr(betas: readonly number[], round: (value: number) => number): number[] {
  const roots = products(betas, round).map((abar) => round(Math.sqrt(abar)));
  const [first, last] = [roots[0], roots[roots.length - 1]];
  if (first === last) throw refuse("one timestep can't have both signal and none");
  const abar = roots.map((root) => round((((root - last) * first) / (first - last)) ** 2));
  return abar.map((value, t) => round(1 - (t === 0 ? value : round(value / abar[t - 1]))));
}

const refuse = (why: string) => failure("E_OPTION", `Cannot make a table of noise levels: ${why}`);

/**
 * √ᾱ_t and √(1 − ᾱ_t) at a whole timestep.
 * @throws E_OPTION when the table does not have that timestep
 */
export function mixingAt({ alphasCumprod }: DiscreteTable, timestep: number): Mixing {
  const abar = alphasCumprod[timestep];
  if (abar === undefined)
    throw failure(
      "E_OPTION",
      `Cannot use timestep ${timestep}: should be a whole number in [0, ${alphasCumprod.length - 1}]`,
    );
  return { signal: Math.sqrt(abar), noise: Math.sqrt(1 - abar) };
}

/** σ at any timestep in [0, T − 1], in a straight line between whole ones. */
export function sigmaAt({ sigmas }: Pick<DiscreteTable, "sigmas">, timestep: number): number {
  const low = Math.min(Math.max(Math.floor(timestep), 0), sigmas.length - 1);
  const high = Math.min(low + 1, sigmas.length - 1);
  const share = timestep - low;
  return share === 0 ? sigmas[low] : sigmas[low] * (1 - share) + sigmas[high] * share;
}

/** The timestep, whole or between two, where the table has noise level σ: ln σ in a straight line, clamped to the table. */
export function timestepAt({ sigmas }: DiscreteTable, sigma: number): number {
  const above = sigmas.findIndex((level) => level > sigma);
  if (above === 0) return 0;
  if (above < 0) return sigmas.length - 1;
  const [low, high] = [Math.log(sigmas[above - 1]), Math.log(sigmas[above])];
  return above - 1 + Math.min(Math.max((Math.log(sigma) - low) / (high - low), 0), 1);
}
