import type { Lowering } from "../kernel.ts";
import { reductionPlan } from "./reduction.ts";

export const max: Lowering = {
  op: "max",
  plan: (node) => reductionPlan(node, { rows: "maxRows", columns: "maxColumns", integers: "maxIntegers" }),
};
