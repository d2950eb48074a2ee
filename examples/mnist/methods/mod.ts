/** The methods that distil digits, by name; loaded when they are used. Each is the preset `mnist-NAME`. */
import type { RunConfig } from "../../../core/train/mod.ts";

/** Loads the config of a run. */
type Load = () => Promise<{ readonly config: RunConfig }>;

export const digitMethods: Readonly<Record<string, Load>> = {
  dmd2: () => import("./dmd2.ts"),
  "mean-flow": () => import("./meanFlow.ts"),
  scm: () => import("./scm.ts"),
};
