import { sizeOf } from "../tensor/shape.ts";
import { createNode, type OpSpec, type Tensor } from "../tensor/tensor.ts";
import { defineComposed } from "./composed.ts";
import { attrsOf, type Op } from "./op.ts";

interface PackAttrs {
  /** Where each part starts. */
  readonly offsets: readonly number[];
  /** Elements of the whole. */
  readonly size: number;
}

/** The inverse of `view`: many tensors at their offsets in one flat tensor, zeros between them. */
const spec: OpSpec<PackAttrs> = {
  name: "pack",
  kind: "kernel",
  signature: "...parts[*] -> flat[P]",
  reference(node, inputs, out) {
    const offsets = attrsOf(node, pack.spec).offsets;
    for (const [i, part] of inputs.entries()) out.set(part, offsets[i]);
  },
  jvp(node, tangents) {
    const { offsets, size } = attrsOf(node, pack.spec);
    const known = tangents.flatMap((part, i) => (part ? [{ part, offset: offsets[i] }] : []));
    return pack(
      known.map(({ part }) => part),
      known.map(({ offset }) => offset),
      size,
    );
  },
};

/**
 * Puts `parts[i]` at `offsets[i]` of a flat tensor of `size` elements. The planner makes the parts' own kernels write
 * there, so packing costs nothing for a part with no other reader.
 */
export const pack: Op<[parts: readonly Tensor[], offsets: readonly number[], size: number], PackAttrs> = defineComposed(
  {
    name: "pack",
    parameters: ["parts: Tensor[]", "offsets: number[]", "size: number"],
    spec: spec,
    build: (parts, offsets, size) => {
      for (let i = 0; i < parts.length; i++)
        if (offsets[i] + sizeOf(parts[i].shape) > size)
          throw new Error("onestep bug: a part does not fit into its pack");
      return createNode({
        op: spec,
        inputs: [...parts],
        attrs: { offsets, size },
        shape: [size],
        dtype: "f32",
        storage: "f32", // the optimiser's gradients
      });
    },
  },
);
