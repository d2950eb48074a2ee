import type { NoiseSource } from "../../diffusion/noiseSource.ts";
import type { HostArray } from "../../interfaces/backend.ts";
import type { Turn } from "../../interfaces/method.ts";

/** Draws that take the place of the seed's, such as those that a run of another implementation has saved. */
export interface GivenDraws {
  /** What the losses of a turn draw from, in the order of their calls: inputs of the program. */
  source(turn: Turn): NoiseSource;
  /** Values of these inputs at a step; `real.x` and `real.label` among them replace the dataset's batch. */
  inputs(turn: Turn, step: number): Readonly<Record<string, HostArray>>;
}
