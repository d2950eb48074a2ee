import type { RunConfig } from "../../core/train/config/config.ts";

/** The roles that each method may have, by its name; a package of plugins adds its own by declaration merging. */
export interface MethodRoles {
  consistency: "teacher" | "generator";
  dmd2: "teacher" | "generator" | "critic";
  "dp-dmd": "teacher" | "generator" | "critic";
  "f-distill": "teacher" | "generator" | "critic" | "ratio-bins";
  "guided-distillation": "teacher" | "generator" | "former";
  "last-stage": "teacher" | "generator" | "critic" | "earlier";
  lightning: "teacher" | "generator" | "critic";
  progressive: "teacher" | "generator";
  reflow: "teacher" | "generator" | "flow";
  tract: "teacher" | "generator";
  "truncated-consistency": "teacher" | "generator" | "earlier";
}

/** Names of the numbers that metrics give whose names are always the same; a package of plugins adds its own by declaration merging. */
export interface MetricValues {
  "gaussian-modes": "in2" | "in3" | "lo" | "hi" | "modeStd" | "sw";
}

/** Names of the roles of a run, where the config's type says its method; any text else. */
export type RoleName<C extends RunConfig> = C["method"]["use"] extends infer U
  ? string extends U
    ? string
    : U extends keyof MethodRoles
      ? MethodRoles[U]
      : string
  : string;

/** Names of the numbers that the metrics of a run give, where the config's type says which it has; any text else. */
export type MetricName<C extends RunConfig> = C extends { readonly metrics: infer S }
  ? string extends keyof S
    ? string
    : { [K in keyof S]: S[K] extends false ? never : K extends keyof MetricValues ? MetricValues[K] : string }[keyof S]
  : string;
