import type { Tensor } from "../../../core/tensor/tensor.ts";
import { grid } from "../grid.ts";
import type { DimValue, KernelVariant } from "../kernel.ts";

/** Invocations of the small kernels: `WG` in their sources. */
const WG = 64;

/**
 * The variant of a small kernel named after its op: one dispatch, one lane per element of the output (or `lanes` in all),
 * on every device. Adds COUNT, the number of elements, to `dims`.
 */
export const perElement = (
  kernel: string,
  dims: (node: Tensor) => Record<string, DimValue>,
  lanes: (count: number, node: Tensor) => number = (count) => count,
): KernelVariant => ({
  name: "perElement",
  supports: () => true,
  plan(node) {
    const count = node.shape.reduce((product, size) => product * size, 1);
    const workgroups = grid(Math.ceil(lanes(count, node) / WG));
    return { passes: [{ kernel, dims: { COUNT: count, ...dims(node) }, workgroups }] };
  },
});
