/** The noise levels and time scales that EDM compares: Karras et al. 2022, arXiv:2206.00364, Table 1 and Appendix C. */
import { karrasSigmas, roundHalfEven, vpSigma, vpTime } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";

/** Which levels. */
export const discretizations = ["vp", "ve", "iddpm", "edm"] as const;
/** How the level depends on time: σ(t) of the variance-preserving process, √t, or t. */
export const timeScales = ["vp", "ve", "linear"] as const;

export interface AblationLevels {
  readonly discretization: (typeof discretizations)[number];
  readonly steps: number;
  readonly sigmaMin?: number;
  readonly sigmaMax?: number;
  readonly rho: number;
  /** ε_s, the first time of the variance-preserving process. */
  readonly timeMin: number;
  /** Steps of the chain that `iddpm` levels are taken from. */
  readonly chain: number;
  /** Lower bound of a ratio of its ᾱ (C₁), and the offset of its cosine (C₂). */
  readonly ratioMin: number;
  readonly cosineOffset: number;
}

/** Lowest and highest level, those of the discretization where none is given. */
export function ablationBounds(options: AblationLevels): [low: number, high: number] {
  const { discretization, timeMin } = options;
  const usual = {
    vp: [vpSigma(timeMin), vpSigma(1)],
    ve: [0.02, 100],
    iddpm: [0.002, 81],
    edm: [0.002, 80],
  }[discretization];
  const [low, high] = [options.sigmaMin ?? usual[0], options.sigmaMax ?? usual[1]];
  if (!(low < high))
    throw failure(
      "E_OPTION",
      `Cannot configure edm-ablation: sigmaMin is ${low} and sigmaMax ${high}, sigmaMin should be the lower`,
    );
  return [low, high];
}

/** σ_0 > … > σ_{N−1}, N at least 2. */
export function ablationSigmas(options: AblationLevels): number[] {
  const { discretization, steps, rho, timeMin } = options;
  const [low, high] = ablationBounds(options);
  const share = Array.from({ length: steps }, (_, i) => i / (steps - 1));
  if (discretization === "vp") {
    const { slope, start } = vpCurve(low, high, timeMin);
    return share.map((u) => vpSigma(1 + u * (timeMin - 1), slope, start));
  }
  if (discretization === "ve") return share.map((u) => high * (low / high) ** u);
  if (discretization === "edm") return karrasSigmas(steps, { sigmaMin: low, sigmaMax: high, rho });
  const chain = cosineChain(options).filter((sigma) => sigma >= low && sigma <= high);
  if (chain.length < steps)
    throw failure(
      "E_OPTION",
      `Cannot configure edm-ablation: steps is ${steps}, the chain has ${chain.length} levels between ${low} and ${high}`,
      { fix: "use fewer steps or a longer chain" },
    );
  return share.map((u) => chain[roundHalfEven((chain.length - 1) * u)]);
}

/** u_M = 0, u_{j−1} = √((u_j² + 1)/max(ᾱ_{j−1}/ᾱ_j, C₁) − 1), ᾱ_j = sin²(π j/(2 M (C₂ + 1))); highest first. */
function cosineChain({ chain, ratioMin, cosineOffset }: AblationLevels): number[] {
  const abar = (j: number) => Math.sin((0.5 * Math.PI * j) / chain / (cosineOffset + 1)) ** 2;
  const levels = [0];
  for (let j = chain; j > 0; j--) {
    const ratio = Math.max(abar(j - 1) / abar(j), ratioMin);
    levels.unshift(Math.sqrt((levels[0] ** 2 + 1) / ratio - 1));
  }
  return levels;
}

/** β_d and β_min of the curve through both levels at times `timeMin` and 1. */
function vpCurve(low: number, high: number, timeMin: number) {
  const [bottom, top] = [Math.log1p(low ** 2), Math.log1p(high ** 2)];
  const slope = (2 * (bottom / timeMin - top)) / (timeMin - 1);
  return { slope, start: top - slope / 2 };
}

/** σ(t), its derivative and its inverse. */
export interface TimeScale {
  sigma(time: number): number;
  slope(time: number): number;
  time(sigma: number): number;
}

export function timeScaleOf(name: (typeof timeScales)[number], options: AblationLevels): TimeScale {
  if (name === "linear") return { sigma: (t) => t, slope: () => 1, time: (s) => s };
  if (name === "ve") return { sigma: Math.sqrt, slope: (t) => 0.5 / Math.sqrt(t), time: (s) => s ** 2 };
  const { slope, start } = vpCurve(...ablationBounds(options), options.timeMin);
  const sigma = (t: number) => vpSigma(t, slope, start);
  return {
    sigma,
    slope: (t) => 0.5 * (start + slope * t) * (sigma(t) + 1 / sigma(t)),
    time: (s) => vpTime(s, slope, start),
  };
}
