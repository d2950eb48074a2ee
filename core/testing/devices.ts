import type { Backend } from "../interfaces/mod.ts";
import { add, constant, div, input } from "../ops/mod.ts";
import { evaluateOn } from "./evaluateOn.ts";
import type { Numbers } from "./feed.ts";

/** What a test runs on. */
export interface Devices {
  /**
   * The first is the oracle, `new ReferenceBackend("f64")` of `onestep/reference`: gradients are held to finite differences
   * there, which takes float64. All others are held to the oracle.
   */
  readonly backends: readonly Backend[];
  /** The largest |a − b| / (1 + |b|) between a device's numbers a and the oracle's b; `PARITY` by default. */
  readonly tolerance?: number;
}

/** How far float32 of a device may be from the oracle: thousands of roundings of 6e-8 each. */
export const PARITY = 1e-4;

/** The largest |a − b| / (1 + |b|). Infinity where lengths differ, or one of the two is not a number. */
export function distance(a: Numbers, b: Numbers): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i])) continue;
    const error = Math.abs(a[i] - b[i]) / (1 + Math.abs(b[i]));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}

/** Whether both have the same bits. */
export const same = (a: Numbers, b: Numbers): boolean => distance(a, b) === 0;

/** The oracle of a test. Throws unless it keeps float64. */
export async function oracleOf({ backends: [oracle] }: Devices): Promise<Backend> {
  const third = oracle && div(add(input("one", []), 0), constant(3));
  const one = { values: { one: Float32Array.of(1) } };
  if (!third || (await evaluateOn(oracle, { third }, one)).third[0] !== 1 / 3)
    throw new Error(
      `Cannot test on ${oracle ? "a float32 oracle" : "no device"}: the first of \`backends\` should be new ReferenceBackend("f64")`,
    );
  return oracle;
}

/** What a device is called in a problem. */
export const nameOf = ({ info }: Backend): string => info.backend;
