import { type ListToken, listToken } from "../di/token.ts";

/**
 * What monitors see of a run, every so many steps of a stage. Values by name:
 *   `<role>/<loss>`, `<role>/gradient-norm`   of the last update of each role that learns, with whatever else it reports
 *   `samples/…`                               of samples of the role that the stage makes: see `sampleStatistics`
 *   `judged/<number>`                         of the metrics, where the learner was judged since the reading before
 */
export interface Reading {
  readonly stage: string;
  /** The step that comes next, counted from 0, and how many the stage has. */
  readonly step: number;
  readonly steps: number;
  readonly values: Readonly<Record<string, number>>;
}

/** What is wrong, in words. */
export interface Finding {
  /** What is seen, with its numbers. */
  readonly message: string;
  /** What to change, with the names of the options. */
  readonly advice: string;
  /** Whether what the run makes from here on is likely lost; such warnings appear with `--quiet` too. */
  readonly severe?: boolean;
}

/** Follows one stage from reading to reading: what is wrong at this one, or undefined. */
export type Watch = (reading: Reading) => Finding | undefined;

/** One way in which training goes wrong. Every run has all monitors that are registered, unless its config switches them off. */
export interface Monitor {
  readonly name: string;
  /** For a stage, which may be one that a resumed run goes on with. */
  begin(): Watch;
}

/** Every monitor of the run. */
export const MONITORS: ListToken<Monitor> = listToken<Monitor>("monitors");
