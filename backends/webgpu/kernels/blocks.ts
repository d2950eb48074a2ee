import type { Tensor } from "../../../core/tensor/tensor.ts";

/** Dims that sumPool and upsampleNearest share. */
export const blockDims = ({ inputs: [x], shape, attrs }: Tensor): Record<string, number> => ({
  OW: shape[shape.length - 1],
  W: x.shape[x.shape.length - 1],
  FACTOR: attrs.factor as number,
  scale: attrs.scale as number,
});
