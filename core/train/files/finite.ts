import { failure } from "../../errors.ts";
import type { HostArray } from "../../interfaces/backend.ts";

/** @throws E_DIVERGED that says what could not be done, and whose numbers are at fault */
export function requireFinite(values: HostArray, what: string, name: string): void {
  // x·0 is 0 for finite x and NaN otherwise: one pass without a branch.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * 0;
  if (sum !== 0) throw failure("E_DIVERGED", `Cannot ${what}: ${name} holds NaN or infinity, expected finite numbers`);
}
