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
  { count, seed, pace }: PairDraw,
): Promise<Pairs> {
  if (!drawer.deterministic)
    throw failure(
      "E_OPTION",
      "Cannot draw pairs: the sampler draws fresh noise on its way, expected a deterministic one",
      { fix: "use heun with churn=0, or another sampler of the ODE such as ddim" },
    );
  const { shape, x: y, condition } = await drawer.draw({ count, seed, pace });
  const z = new Float32Array(y.length);
  sampleNoise(z, { seed, draw: 0, first: 0, size: sizeOf(sample) });
  return { shape, z, y, label: condition.label as Int32Array | undefined };
}
