import { inTraceOrder } from "../graph/traverse.ts";
import { input, stopGradient } from "../ops/mod.ts";
import { hostRandom } from "../random/hostRandom.ts";
import { createNode, type Tensor } from "../tensor/tensor.ts";
import type { Numbers } from "./feed.ts";
import { spread } from "./madeUpData.ts";

/** h of central differences: in float64 they are off by about h² = 1e-10 in truncation, 1e-16/h = 1e-11 in cancellation. */
const STEP = 1e-5;
/** How far a gradient may be from them, relative to its size: the constants that are folded to float32 are off by 6e-8. */
export const GRADIENT = 1e-5;

/**
 * Holds a gradient to central differences along random directions of all its parts at once.
 * @param at parts of the point at which the gradient is taken
 * @param valueAt the function, at a point in float64
 * @returns the largest |exact − numeric| by their size, over directions
 */
export async function gradientError(
  gradient: readonly Numbers[],
  at: readonly Numbers[],
  valueAt: (point: readonly Float64Array[]) => Promise<number>,
): Promise<number> {
  let worst = 0;
  for (const seed of [1, 2, 3]) {
    const random = hostRandom(seed, 0, 2);
    const along = at.map((part) => spread(part.length, 1, random));
    const moved = (h: number) =>
      valueAt(at.map((part, k) => Float64Array.from(part, (value, i) => value + h * along[k][i])));
    const numeric = ((await moved(STEP)) - (await moved(-STEP))) / (2 * STEP);
    let [exact, squares] = [0, 0];
    for (const [k, part] of along.entries())
      for (const [i, each] of part.entries()) {
        exact += gradient[k][i] * each;
        squares += (gradient[k][i] * each) ** 2;
      }
    // The terms of the sum may cancel; their root mean square is how large it is by and large.
    const size = Math.abs(exact) + Math.abs(numeric) + Math.sqrt(squares);
    const error = Math.abs(exact - numeric) / Math.max(size, 1e-4);
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}

/**
 * The same function with everything behind `stopGradient` as inputs: of that one the gradient is the derivative.
 * @returns its value, and by the names of the inputs what they hold at the point where the gradient is taken
 */
export function heldFixed(root: Tensor): {
  readonly value: Tensor;
  readonly held: Readonly<Record<string, Tensor>>;
} {
  const image = new Map<Tensor, Tensor>();
  const held: Record<string, Tensor> = {};
  for (const node of inTraceOrder([root])) {
    if (node.op === stopGradient.spec) {
      const name = `held ${image.size}`;
      held[name] = node;
      image.set(node, input(name, node.shape, node.dtype));
    } else if (node.op.kind === "source") image.set(node, node);
    else image.set(node, createNode({ ...node, inputs: node.inputs.map((each) => image.get(each)!) }));
  }
  return { value: image.get(root)!, held };
}
