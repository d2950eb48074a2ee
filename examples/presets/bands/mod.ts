import type { ReferenceRuns } from "../../../plugins/observers/mod.ts";
import { gaussians } from "./gaussians.generated.ts";

/** What curves of a run are compared with: those of presets in earlier runs. `node build.mjs soak bands` makes them. */
export const references: readonly ReferenceRuns[] = [gaussians];
