import type { Backend } from "../../core/interfaces/backend.ts";
import type { GoldenCase, ManifestCase } from "./goldenCase.ts";
import type { GoldenSet } from "./goldenSet.ts";
import type { Settings } from "./settings.ts";

/** A kind of case: knows the layout of its files and runs them through the product's own plugins. */
export interface Kind {
  readonly name: string;
  /** By file name, group and config, never by the values in it: cases of a kind that nobody has seen run too. */
  matches(entry: ManifestCase): boolean;
  /** Names of settings that change no number, such as a description. Any other that is not read is unsupported. */
  readonly silent?: readonly string[];
  /** It judges results by a rule of its own, and fails itself when one is left over. */
  readonly ownRule?: boolean;
  /** Computes what the case holds and hands every result to `check`. Throws `Unsupported` for what can't be run. */
  run(job: Job): Promise<void>;
}

/** One case at work. */
export interface Job {
  /** The case; its `config` is watched, so settings are read by name. */
  readonly reference: GoldenCase;
  /** Where files that the case refers to are, such as weights. */
  readonly set: Pick<GoldenSet, "case" | "folder" | "bytes">;
  readonly backend: Backend;
  /** Compares with the tensor `name` of the case, under its tolerance. */
  check(actual: ArrayLike<number>, name: string): void;
  /** A ratio of error to tolerance that the kind has found by a rule of its own; at most 1 passes. */
  checkRatio(ratio: number, what: string): void;
  /**
   * Runs every sub-case of `config.cases`. One that throws `Unsupported`, or has a setting that `run` does not read, is
   * unsupported by its name, and nothing of it counts; the others go on.
   */
  each(run: (sub: Settings) => Promise<void> | void): Promise<void>;
}

/** A case of a kind we know, with a setting that the product does not have. */
export class Unsupported extends Error {}
