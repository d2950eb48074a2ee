import { type Argument, type Call, grainOf } from "../kernel.ts";

/** Copies `rows` rows of `width` elements between arrays whose rows are `fromWidth` and `toWidth` long. */
export function copyRows(
  [from, to]: readonly [Argument, Argument],
  rows: number,
  width: number,
  fromWidth: number,
  toWidth: number,
): Call {
  if (rows === 1) return { fn: "copyElements", args: [from, to], items: width, grain: grainOf(0.4) };
  const args = [from, to, width, fromWidth, toWidth];
  return { fn: "copyRows", args, items: rows, grain: grainOf(0.4 * width + 5) };
}
