import type { Lowering } from "../kernel.ts";
import { reductionPlan } from "./reduction.ts";

export const sum: Lowering = {
  op: "sum",
  plan: (node) => reductionPlan(node, { rows: "sumRows", columns: "sumColumns", integers: "sumIntegers" }),
};
