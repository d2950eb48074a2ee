import type { Backend } from "../../core/interfaces/mod.ts";
import { interpret } from "../helpers/interpret.ts";
import { exportedOps } from "../helpers/ops.ts";
import { programOf, runOn } from "../helpers/opsProgram.ts";
import { tolerances, worstOf } from "../helpers/tolerance.ts";

/** What became of an operation on a device. */
export interface OpVerdict {
  readonly op: string;
  /** The largest error of its values and of its gradients, in units of what is allowed; undefined where there are none. */
  readonly forward?: number;
  readonly backward?: number;
  /** What is wrong, if something is. */
  readonly fault?: string;
}

/** The operations whose names match. */
export const opsNamed = (pattern: RegExp): readonly string[] =>
  Object.keys(exportedOps).filter((op) => pattern.test(op));

/** Runs the examples of an operation and their gradients on a device, and compares with the oracle in float64. */
export async function testOp(op: string, backend: Backend): Promise<OpVerdict> {
  try {
    const { outputs, inputs } = programOf(op, Object.keys(exportedOps).indexOf(op), "gradients");
    const exact = Object.fromEntries(Object.entries(inputs).map(([name, each]) => [name, Float64Array.from(each)]));
    const expected = interpret(Object.values(outputs), exact);
    const actual = await runOn(backend, outputs, inputs);
    const worst: { forward?: number; backward?: number } = {};
    const faults: string[] = [];
    for (const [i, [name, { dtype }]] of Object.entries(outputs).entries()) {
      const tolerance = dtype === "i32" ? tolerances.exact : tolerances.anyOp;
      const { excess, at } = worstOf(actual[name], expected[i], tolerance);
      const part = name.startsWith("gradient") ? "backward" : "forward";
      worst[part] = Math.max(worst[part] ?? 0, excess);
      if (excess > 1) faults.push(`${name}: element ${at} is ${actual[name][at]}, should be ${expected[i][at]}`);
    }
    return { op, ...worst, ...(faults.length > 0 && { fault: faults.join("; ") }) };
  } catch (error) {
    return { op, fault: (error as Error).message };
  }
}
