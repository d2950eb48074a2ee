import { failure } from "../../errors.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import type { Pairs } from "../../io/pairsFile.ts";
import { sampleNoise } from "../../random/hostRandom.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { SampleDrawer } from "./sampleDrawer.ts";

/** How many pairs, of which seed; classes take turns. */
export interface PairDraw {
  readonly count: number;
  readonly seed: number;
  /** Noise levels near which states of the path are kept: each that of the nearest step of the sampler. */
  readonly levels?: readonly number[];
  /** Called between the steps of the sampler with how many pairs are done. */
  readonly pace?: (done: number, total: number) => Promise<void>;
}

/**
 * Draws pairs (z, y) with a sampler of the teacher's ODE: y is what becomes of startScale·z. Pair i of a seed is sample i of
 * that seed. Yin et al. 2023, DMD, arXiv:2311.18828, section 3.3.
 * @throws OptionError when the sampler draws fresh noise on its way, so that y does not follow from z
 */
export async function drawPairs(
  drawer: SampleDrawer,
  { sample }: DataShape,
  { count, seed, levels = [], pace }: PairDraw,
): Promise<Pairs> {
  if (!drawer.deterministic)
    throw failure(
      "E_OPTION",
      "Cannot draw pairs: the sampler draws fresh noise on its way, expected a deterministic one",
      { fix: "use heun with churn=0, or another sampler of the ODE such as ddim" },
    );
  const size = sizeOf(sample);
  const known = drawer.begins.map(({ sigma }) => sigma);
  const steps = nearestSteps(known, levels);
  const states = new Float32Array(count * steps.length * size);
  const take = (step: number, first: number, x: Float32Array) => {
    const place = steps.indexOf(step);
    const { widen = 1 } = drawer.begins[step];
    const noisy = x.map((value) => widen * value);
    for (let i = 0; i < x.length / size; i++)
      states.set(noisy.subarray(i * size, (i + 1) * size), ((first + i) * steps.length + place) * size);
  };
  const { shape, x: y, condition } = await drawer.draw({ count, seed, states: { steps, take }, pace });
  const z = new Float32Array(y.length);
  sampleNoise(z, { seed, draw: 0, first: 0, size });
  const path = steps.length > 0 && { levels: steps.map((step) => known[step]!), states };
  return { shape, z, y, label: condition.label as Int32Array | undefined, ...(path && { path }) };
}

/** The step of the sampler that begins nearest to each level, as a ratio, in the order of the steps. */
function nearestSteps(known: readonly (number | undefined)[], levels: readonly number[]): number[] {
  const far = (step: number, level: number) => Math.abs(Math.log((known[step] ?? Number.NaN) / level));
  // The first step begins at the noise, which is kept anyway.
  const later = known.flatMap((sigma, step) => (step > 0 && sigma !== undefined ? [step] : []));
  const steps = levels.map((level) =>
    later.reduce((best, step) => (far(step, level) < far(best, level) ? step : best), later[0]),
  );
  if (steps.includes(undefined as never) || new Set(steps).size < steps.length)
    throw failure(
      "E_OPTION",
      `Cannot keep states at the levels ${levels.join(", ")}: the sampler has ${later.length} steps after the first, expected one for each level`,
      { fix: "ask for fewer levels, or give the sampler more steps" },
    );
  return steps.sort((a, b) => a - b);
}
