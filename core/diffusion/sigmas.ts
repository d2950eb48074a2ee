import { failure } from "../errors.ts";
import type { NoiseProcess } from "../interfaces/process.ts";

/** Bounds of Karras levels. */
export interface KarrasOptions {
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  /** Bends the spacing; 7 puts more levels near sigmaMin. */
  readonly rho?: number;
}

/** `count` noise levels from sigmaMax down to sigmaMin, evenly spaced in σ^(1/ρ) (Karras et al. 2022, Eq. 5). */
export function karrasSigmas(count: number, { sigmaMin, sigmaMax, rho = 7 }: KarrasOptions): number[] {
  if (sigmaMin >= sigmaMax)
    throw failure(
      "E_OPTION",
      `Cannot space noise levels: sigmaMin is ${sigmaMin} and sigmaMax ${sigmaMax}, sigmaMin should be the lower`,
    );
  const [top, bottom] = [sigmaMax ** (1 / rho), sigmaMin ** (1 / rho)];
  return Array.from({ length: count }, (_, i) =>
    count === 1 ? sigmaMax : (top + (i / (count - 1)) * (bottom - top)) ** rho,
  );
}

/** The levels DMD2 draws from: increasing, index 0 = sigmaMin. */
export const sigmaGrid = (count: number, options: KarrasOptions): number[] => karrasSigmas(count, options).reverse();

/**
 * The levels of a few-step generator, checked.
 * @param process the run's, where a network is called at them
 * @throws E_OPTION in the name of `owner` unless there are some, they fall, and the process knows the first
 */
export function decreasingLevels(
  owner: string,
  sigmas: readonly number[],
  process?: Pick<NoiseProcess, "sigmas">,
): readonly number[] {
  if (sigmas.length === 0 || sigmas.some((sigma, i) => i > 0 && sigma >= sigmas[i - 1]))
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: sigmas is [${sigmas.join(", ")}], should be one or more decreasing levels`,
    );
  checkKnownLevel(owner, sigmas[0], process);
  return sigmas;
}

/**
 * A process of timesteps knows no level above its last: its network would be told that one, and given more noise than it has.
 * @throws E_OPTION in the name of `owner`
 */
export function checkKnownLevel(owner: string, sigma: number, process?: Pick<NoiseProcess, "sigmas">): void {
  const highest = process?.sigmas?.at(-1);
  if (highest === undefined || sigma <= highest * (1 + 1e-3)) return;
  const shown = Number(highest.toPrecision(4));
  throw failure(
    "E_OPTION",
    `Cannot configure ${owner}: its first noise level is ${sigma}, the process knows none above ${shown}`,
    { fix: `use levels up to ${shown}, or give timesteps instead` },
  );
}
