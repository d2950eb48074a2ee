import { failure } from "../../errors.ts";
import type { HostArray } from "../../interfaces/backend.ts";
import { allFinite } from "../../tensor/allFinite.ts";

/** @throws E_DIVERGED that says what could not be done, and whose numbers are at fault */
export function requireFinite(values: HostArray, what: string, name: string): void {
  if (!allFinite(values))
    throw failure("E_DIVERGED", `Cannot ${what}: ${name} holds NaN or infinity, expected finite numbers`);
}
