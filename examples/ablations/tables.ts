import type { AblationTable } from "./table.ts";
import { table3 } from "./table3.ts";
import { table4 } from "./table4.ts";

/** The tables that `onestep ablate` knows, by name. */
export const tables: Readonly<Record<string, AblationTable>> = { table3, table4 };
