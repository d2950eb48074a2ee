import { mergeConfig } from "../../../core/plugin/mod.ts";
import { fDistill } from "../../../plugins/methods/fDistill.ts";
import { onRing } from "../ring.ts";
import { inPlane } from "./fastgenDmd2.ts";

/** The ring by f-distill, forward Kullback-Leibler divergence, with bins that remember. */
export const config = onRing(
  fDistill,
  mergeConfig(inPlane, {
    method: { ratioMemory: 0.5 },
    losses: { "distribution-matching": false, "f-distill": { sigmaMax: 10 }, "ratio-bins": { sigmaMax: 10 } },
  }),
);
