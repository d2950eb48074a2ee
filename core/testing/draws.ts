import type { HostArray } from "../interfaces/mod.ts";
import { hostRandom } from "../random/hostRandom.ts";
import { same } from "./devices.ts";
import type { Findings } from "./findings.ts";

/** Arrays by name, as samples come. */
export type Arrays = Readonly<Record<string, HostArray>>;

/** Samples of a seed's random numbers, and how many of these they took. */
export async function drawn<T>(draw: (random: () => number) => T | Promise<T>, seed: number) {
  const random = hostRandom(seed, 0, 0);
  let calls = 0;
  const samples = await draw(() => {
    calls++;
    return random();
  });
  return { samples, calls };
}

/** Whether all arrays are there in both, with the same bits. */
export const sameArrays = (a: Arrays, b: Arrays): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.keys(a).every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));

/**
 * Holds samples to what makes a run repeat: the same random numbers give the same samples, others other ones, even while
 * several draws are open, and each sample takes as many numbers.
 */
export async function checkDraws(
  findings: Findings,
  what: string,
  draw: (count: number, random: () => number) => Arrays | Promise<Arrays>,
): Promise<void> {
  const of = (count: number, seed: number) => drawn((random) => draw(count, random), seed);
  const [first, again, other, more] = await Promise.all([of(8, 1), of(8, 1), of(8, 2), of(24, 1)]);
  findings.check(sameArrays(first.samples, again.samples), `the same random numbers give ${what} anew`);
  findings.check(!sameArrays(first.samples, other.samples), `${what} are the same whatever the random numbers are`);
  findings.check(
    first.calls % 8 === 0 && more.calls === 3 * first.calls,
    `${what} take ${first.calls} random numbers for 8 and ${more.calls} for 24, should take as many for each`,
  );
}
