import type { Backend } from "../../core/interfaces/backend.ts";
import type { GoldenCase, ManifestCase } from "./goldenCase.ts";
import type { GoldenSet } from "./goldenSet.ts";

/** A kind of case: knows the layout of its files and runs them through the product's own plugins. */
export interface Kind {
  readonly name: string;
  /** By file name, group and config, never by the values in it: cases of a kind that nobody has seen run too. */
  matches(entry: ManifestCase): boolean;
  /** Computes what the case holds and hands every result to `check`. Throws `Unsupported` for what can't be run. */
  run(job: Job): Promise<void>;
}

/** One case at work. */
export interface Job {
  readonly reference: GoldenCase;
  /** Where files that the case refers to are, such as weights. */
  readonly set: GoldenSet;
  readonly backend: Backend;
  /** Compares with the tensor `name` of the case, under its tolerance. */
  check(actual: ArrayLike<number>, name: string): void;
  /** A ratio of error to tolerance that the kind has found by a rule of its own; at most 1 passes. */
  checkRatio(ratio: number, what: string): void;
}

/** A case of a kind we know, with a setting that the product does not have. */
export class Unsupported extends Error {}
