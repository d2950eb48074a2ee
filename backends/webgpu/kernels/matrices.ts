import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { DeviceTraits } from "../adapter/traits.ts";
import type { MatrixShape, MatrixUse } from "../subgroupMatrices.ts";

/** Subgroups that share a tile. */
const SUBGROUPS = 4;

/** Invocations of a workgroup on subgroup matrices: WebGPU wants a multiple of the largest subgroup. */
export const matrixLanes = ({ subgroupMaxSize }: Pick<DeviceTraits, "subgroupMaxSize">): number =>
  SUBGROUPS * subgroupMaxSize;

/**
 * The device's subgroup matrices that multiply these operands without losing a bit of them: those of f16 only for
 * operands that are all kept in f16. Only what is good for all that is wanted of them. None on software adapters: what is a matrix unit elsewhere are loops there.
 */
export function matricesFor(
  wanted: readonly MatrixUse[],
  operands: readonly Pick<Tensor, "storage">[],
  traits: DeviceTraits,
): MatrixShape | undefined {
  const { software, f16, maxInvocations, matrices } = traits;
  if (software || matrixLanes(traits) > maxInvocations) return undefined;
  const of = (type: MatrixShape["factors"]) =>
    matrices.find(({ factors, uses }) => factors === type && wanted.every((use) => uses.includes(use)));
  const isHalf = f16 && operands.every(({ storage }) => storage === "f16");
  return (isHalf ? of("f16") : undefined) ?? of("f32");
}

/** What the variants on them need, for people. */
export const MATRICES_NEEDED =
  "a GPU with subgroup matrices for operands kept as these are; `onestep doctor` lists them";
