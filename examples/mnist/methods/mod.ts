/** The methods that distil digits, by name; loaded when they are used. Each is the preset `mnist-NAME`. */
import type { RunConfig } from "../../../core/train/mod.ts";

/** Loads the config of a run. */
type Load = () => Promise<{ readonly config: RunConfig }>;

export const digitMethods: Readonly<Record<string, Load>> = {
  "diff-instruct": () => import("./diffInstruct.ts"),
  dmd2: () => import("./dmd2.ts"),
  "mean-flow": () => import("./meanFlow.ts"),
  scm: () => import("./scm.ts"),
  "f-distill": () => import("./fDistill.ts"),
  "fastgen-dmd2": () => import("./fastgenDmd2.ts"),
  sid: () => import("./sid.ts"),
  sida: () => import("./sida.ts"),
  "guided-distillation": () => import("./guidedDistillation.ts"),
  lcm: () => import("./lcm.ts"),
  progressive: () => import("./progressive.ts"),
  tract: () => import("./tract.ts"),
};
