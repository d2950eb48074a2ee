import type { Resolver } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import { OUTPUT_FOLDER, type OutputFolder } from "../../../core/interfaces/mod.ts";

/** The folder of a run's results. @throws E_CONFIG where it has none */
export function outputOf(name: string, container: Resolver): OutputFolder {
  if (container.has(OUTPUT_FOLDER)) return container.get(OUTPUT_FOLDER);
  throw failure("E_CONFIG", `Cannot use the observer "${name}": the run has no folder of results, it should have one`, {
    fix: `give the run an output, or leave observers.${name} out`,
  });
}
