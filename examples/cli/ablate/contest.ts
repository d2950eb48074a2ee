import { grounds } from "../../ablations/grounds.ts";
import type { AblationTable, Ground } from "../../ablations/table.ts";
import { tables } from "../../ablations/tables.ts";
import { arenas } from "../../arena/arenas.ts";

/** A command that runs rows and puts them into a table: its words, and what can be run. */
export interface Contest {
  readonly command: "ablate" | "arena";
  /** What is in its folder, with the article. */
  readonly what: string;
  /** What a row is, and the flag that chooses some. */
  readonly row: string;
  readonly flag: "rows" | "methods";
  /** Name of the file that says what is run. */
  readonly file: string;
  /** The only table, where there is no choice. */
  readonly only?: string;
  /** By name. */
  readonly datasets: (table: string) => readonly string[];
}

/** The name of the table of methods. */
export const ARENA = "arena";

export const ablation: Contest = {
  command: "ablate",
  what: "an ablation",
  row: "row",
  flag: "rows",
  file: "ablation.json",
  datasets: (table) => Object.keys(tables[table].base),
};

export const arena: Contest = {
  command: "arena",
  what: "an arena",
  row: "method",
  flag: "methods",
  file: "plan.json",
  only: ARENA,
  datasets: () => Object.keys(arenas),
};

/** Whose table it is. */
export const contestOf = ({ table }: { readonly table: string }): Contest => (table === ARENA ? arena : ablation);

/** A table on a data set. */
export const tableOn = (table: string, dataset: string): { readonly table: AblationTable; readonly ground: Ground } =>
  table === ARENA ? arenas[dataset] : { table: tables[table], ground: grounds[dataset] };
