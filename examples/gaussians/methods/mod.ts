/** The methods that distil the ring, by name; loaded when they are used. Each is the preset `gaussians-NAME`. */
import type { RunConfig } from "../../../core/train/mod.ts";

/** Loads the config of a run. */
type Load = () => Promise<{ readonly config: RunConfig }>;

export const ringMethods: Readonly<Record<string, Load>> = {
  boot: () => import("./boot.ts"),
  consistency: () => import("./consistency.ts"),
  ct: () => import("./ct.ts"),
  ctm: () => import("./ctm.ts"),
  "decoupled-dmd": () => import("./decoupledDmd.ts"),
  dfno: () => import("./dfno.ts"),
  "diff-instruct": () => import("./diffInstruct.ts"),
  dmd2: () => import("./dmd2.ts"),
  "dp-dmd": () => import("./dpDmd.ts"),
  ect: () => import("./ect.ts"),
  "f-distill": () => import("./fDistill.ts"),
  "fastgen-dmd2": () => import("./fastgenDmd2.ts"),
  frechet: () => import("./frechet.ts"),
  "gan-alone": () => import("./ganAlone.ts"),
  "gan-ttur": () => import("./ganTtur.ts"),
  "guided-distillation": () => import("./guidedDistillation.ts"),
  ict: () => import("./ict.ts"),
  kd: () => import("./kd.ts"),
  ladd: () => import("./ladd.ts"),
  lcm: () => import("./lcm.ts"),
  lightning: () => import("./lightning.ts"),
  "mean-flow": () => import("./meanFlow.ts"),
  progressive: () => import("./progressive.ts"),
  reflow: () => import("./reflow.ts"),
  scm: () => import("./scm.ts"),
  sid: () => import("./sid.ts"),
  sida: () => import("./sida.ts"),
  tcm: () => import("./tcm.ts"),
  tract: () => import("./tract.ts"),
};
