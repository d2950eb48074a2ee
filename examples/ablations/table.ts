import type { RunConfig } from "../../core/train/mod.ts";

/** A table as runs: what each row changes, and what the paper measured for it. */
export interface AblationTable {
  readonly about: string;
  /** Whose table it is. */
  readonly source: string;
  /** The paper's columns, the one that its order goes by first: what each measures, and on what. */
  readonly quoted: Readonly<Record<string, { readonly about: string; readonly better: Better }>>;
  /** What all rows change in the preset, by data set; also says on which data sets the table can be run. */
  readonly base: Readonly<Record<string, object>>;
  /** By short name, which is also that of the folder. */
  readonly rows: Readonly<Record<string, AblationRow>>;
  /** What the paper says of its rows, to be held against ours. */
  readonly claims: readonly Claim[];
  /** Whether it says what training each row cost, and draws each row's samples of the same noise. */
  readonly costs?: true;
}

/** Which way a number should go. */
export type Better = "lower" | "higher";

/** One row. */
export interface AblationRow {
  readonly name: string;
  /** What it starts from instead of the data set's preset. */
  readonly config?: () => Promise<RunConfig>;
  /** Laid over that one after the other. */
  readonly over: readonly object[];
  /** The paper's numbers, by its columns; those that it does not give are left out. */
  readonly quoted: Readonly<Record<string, number>>;
}

/** That one row does better than another. */
export interface Claim {
  readonly says: string;
  readonly better: string;
  readonly worse: string;
  /** The column of the paper that it is about; its first one by default. */
  readonly quoted?: string;
}

/** How much is run. */
export interface Budget {
  readonly seeds: number;
  /** Laid over the preset. */
  readonly over: object;
  /** Samples that each row is judged by. */
  readonly samples: number;
  /** Pairs of noise and the teacher's sample, for rows with a regression loss. */
  readonly pairs: number;
}

export type BudgetName = "quick" | "full";

/** A data set that tables are run on: a preset with its teacher, and how samples are judged. */
export interface Ground {
  readonly preset: string;
  /** Names of the metrics that judge. */
  readonly metrics: readonly string[];
  /** Numbers of the table in order; the first decides which row is better. */
  readonly columns: Readonly<Record<string, Better>>;
  /** For columns of the paper the number that stands for each here. */
  readonly standsFor: Readonly<Record<string, string>>;
  /** Samples of a picture. */
  readonly shown: number;
  readonly budgets: Readonly<Record<BudgetName, Budget>>;
}
