/** States of two bytes an element, read by steps that know only f32: they get a widened copy, which lives while the step runs. */
import { rootOf } from "../../core/graph/mod.ts";
import type { Step } from "../../core/graph/plan.ts";
import { sources } from "../../core/ops/mod.ts";
import { sizeOf } from "../../core/tensor/shape.ts";
import { elementBytes, type Storage } from "../../core/tensor/storage.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { KernelPlan } from "./kernel.ts";

/** How the linear memory keeps what a tensor is, or is part of: only states are ever kept in halves. */
export function keptIn(tensor: Tensor): Storage {
  const { root } = rootOf(tensor);
  return root.op === sources.state ? root.storage : "f32";
}

/** How kernels are told of a storage. */
export const KINDS: Readonly<Record<Storage, number>> = { f32: 0, f16: 1, bf16: 2 };

/** The storage of an operand, for a kernel. */
export const kindOf = (tensor: Tensor): number => KINDS[keptIn(tensor)];

/** Bytes of an element of a tensor. */
export const bytesOf = (tensor: Tensor): number => elementBytes(keptIn(tensor));

/** Operands of a step that are widened before it runs, each with its place in elements, and the elements that they take. */
export interface Widening {
  readonly places: ReadonlyMap<Tensor, number>;
  readonly size: number;
}

/** @param plan of a kernel step: what it reads as it is kept needs no copy */
export function wideningOf(step: Step, { halves = [] }: Pick<KernelPlan, "halves"> = {}): Widening {
  const places = new Map<Tensor, number>();
  let size = 0;
  const read = step.kind === "copy" ? [] : step.kind === "kernel" ? step.node.inputs : step.inputs;
  for (const tensor of read) {
    if (keptIn(tensor) === "f32" || halves.includes(tensor) || places.has(tensor)) continue;
    places.set(tensor, size);
    size += Math.ceil(sizeOf(tensor.shape) / 16) * 16;
  }
  return { places, size };
}
