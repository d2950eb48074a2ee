import type { Executable } from "../../interfaces/backend.ts";
import type { Scalars } from "../loop/events.ts";

/** Outputs of a program, one number each, to be read on demand. */
export const scalarsOf = (run: Executable, names: readonly string[]): Scalars =>
  Object.fromEntries(names.map((name) => [name, { read: async () => (await run.read(name))[0] }]));
