import { runTable } from "../ablate/command.ts";
import { arena } from "../ablate/contest.ts";
import type { Given } from "../command.ts";

/** Trains a data set's generator by each method from one teacher, judges all alike, and writes the table. */
export const run = (given: Given): Promise<number> => runTable(given, arena);
