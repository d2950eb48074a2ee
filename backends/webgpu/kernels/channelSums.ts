import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { DeviceTraits } from "../adapter/traits.ts";
import { grid } from "../grid.ts";
import type { Pass } from "../kernel.ts";
import { joined } from "./reduce.ts";
import { hasLanesOf8 } from "./subgroups.ts";

/** A sum over all axes but one: x as [R0, C, R1], with C results; a copy of C elements where R0 and R1 are 1. */
export interface ChannelSum {
  readonly C: number;
  readonly R0: number;
  readonly R1: number;
}

/** Sums that one dispatch takes: WebGPU promises eight storage buffers, one of which is the result's. */
export const MOST_SUMS = 7;
/** More terms are better shared by several workgroups. */
const MOST_TERMS = 2 ** 14;

/** A node as a sum over all axes but one, or undefined. */
export function channelSumOf(node: Tensor): ChannelSum | undefined {
  if (node.op !== ops.sum.spec || node.dtype !== "f32") return undefined;
  const reduced = new Set(ops.attrsOf(node, ops.sum.spec).axes);
  const { shape } = node.inputs[0];
  const groups = joined(shape.map((size, axis) => ({ size, isReduced: reduced.has(axis) })));
  const kept = groups.findIndex(({ isReduced }) => !isReduced);
  if (kept < 0 || kept > 1 || groups.length > kept + 2) return undefined;
  const sizes = groups.map(({ size }) => size);
  const [R0, C, R1] = [kept === 1 ? sizes[0] : 1, sizes[kept], sizes[kept + 1] ?? 1];
  return R0 * R1 <= MOST_TERMS ? { C, R0, R1 } : undefined;
}

/** A sum and the place of its first result, in elements from where the result's binding starts. */
interface PlacedSum extends ChannelSum {
  readonly at: number;
}

/** The pass for up to `MOST_SUMS` of them; see wgsl/sumChannels.wgsl. Its inputs are bound in order, the last repeated. */
export function channelSumsPass(
  sums: readonly PlacedSum[],
  traits: DeviceTraits,
): Pick<Pass, "kernel" | "dims" | "workgroups"> {
  const OUTPUTS = sums.reduce((count, { C }) => count + C, 0);
  return {
    kernel: hasLanesOf8(traits) ? "sumChannelsSubgroup" : "sumChannels",
    dims: { OUTPUTS, JOBS: sums.flatMap(({ C, R0, R1, at }) => [C, R0, R1, at]) },
    workgroups: grid(OUTPUTS),
  };
}
