import type { NoiseSource } from "../../diffusion/noiseSource.ts";
import type { HostArray } from "../../interfaces/backend.ts";
import type { Phase } from "../loop/schedule.ts";

/** Draws that take the place of the seed's, such as those that a run of another implementation has saved. */
export interface GivenDraws {
  /** What the losses of a phase draw from, in the order of their calls: inputs of the program. */
  source(phase: Phase, generated: "fresh" | "stored"): NoiseSource;
  /** Values of these inputs at a step; `real.x` and `real.label` among them replace the dataset's batch. */
  inputs(phase: Phase, step: number): Readonly<Record<string, HostArray>>;
}
