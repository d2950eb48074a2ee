import type { Program, Step } from "../../../core/graph/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { elementBytes } from "../../../core/tensor/storage.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";

/** Multiplications and additions of a product, a convolution or attention; 0 for other ops. */
export function operationsOf({ op, inputs: [a, b, , o], shape, attrs }: Tensor): number {
  switch (op.name) {
    case "matmul":
      return 2 * sizeOf(shape) * a.shape[a.shape.length - (attrs.transA ? 2 : 1)];
    case "conv2d":
      return 2 * (sizeOf(shape) / shape[1]) * sizeOf(b.shape);
    case "conv2dInputGrad":
      return 2 * (sizeOf(a.shape) / a.shape[1]) * sizeOf(b.shape);
    case "conv2dWeightGrad":
      return 2 * (sizeOf(b.shape) / b.shape[1]) * sizeOf(shape);
    case "attention":
      return 4 * sizeOf(a.shape) * b.shape[b.shape.length - 2];
    case "attentionGrad":
      return (6 * sizeOf(a.shape) + 4 * sizeOf(o.shape)) * b.shape[1];
    default:
      return 0;
  }
}

export const operationsOfProgram = ({ nodes }: Program): number =>
  nodes.reduce((sum, node) => sum + operationsOf(node), 0);

/** Bytes that a step has to read and write at least. */
export function bytesOf(step: Step): number {
  if (step.kind === "copy") return step.elements * 8;
  const tensors = step.kind === "kernel" ? [step.node, ...step.node.inputs] : [...step.inputs, ...step.outputs];
  return tensors.reduce((sum, { shape, storage }) => sum + sizeOf(shape) * elementBytes(storage), 0);
}
