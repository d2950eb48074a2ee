/** The methods that distil digits, by name; loaded when they are used. Each is the preset `mnist-NAME`. */
import type { RunConfig } from "../../../core/train/mod.ts";

/** Loads the config of a run. */
type Load = () => Promise<{ readonly config: RunConfig }>;

export const digitMethods: Readonly<Record<string, Load>> = {
  consistency: () => import("./consistency.ts"),
  "diff-instruct": () => import("./diffInstruct.ts"),
  dmd2: () => import("./dmd2.ts"),
  "f-distill": () => import("./fDistill.ts"),
  "fastgen-dmd2": () => import("./fastgenDmd2.ts"),
  "gan-alone": () => import("./ganAlone.ts"),
  "gan-ttur": () => import("./ganTtur.ts"),
  "guided-distillation": () => import("./guidedDistillation.ts"),
  ladd: () => import("./ladd.ts"),
  lcm: () => import("./lcm.ts"),
  "mean-flow": () => import("./meanFlow.ts"),
  progressive: () => import("./progressive.ts"),
  scm: () => import("./scm.ts"),
  sid: () => import("./sid.ts"),
  sida: () => import("./sida.ts"),
  tract: () => import("./tract.ts"),
};
