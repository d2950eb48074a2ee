import type { BufferSpec } from "../../core/graph/plan.ts";
import type { Program } from "../../core/graph/program.ts";
import { countVariant, type Footprint } from "../../core/interfaces/backend.ts";
import { blockSize } from "./linearMemory.ts";
import { planKernels, spaceOf } from "./translate.ts";

/** Bytes of the blocks that an executable takes on so many threads. @throws KernelError when an op has no kernel */
export function footprintOf(program: Program, threads: number): Footprint {
  const plans = planKernels(program);
  const { temps, own } = spaceOf(program, plans);
  const variants = {};
  for (const [{ op }, { variant }] of plans) if (variant) countVariant(variants, op.name, variant);
  const spaces = [temps, ownSpace(own) * threads].map((elements) => blockSize(elements * 4));
  const sizes = (specs: readonly BufferSpec[]) => specs.map(({ elements }) => blockSize(elements * 4));
  const { buffers } = program.plan;
  return {
    planned: total(sizes(buffers.filter(({ kind }) => kind !== "state"))),
    added: total(spaces),
    shared: [...sizes(buffers.filter(isShared)), ...spaces],
    variants,
  };
}

const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);

/** Whether nothing is left in a buffer that a later run needs, so that other programs may use it in between. */
export const isShared = ({ kind }: BufferSpec): boolean => kind === "scratch";

/** Elements of a thread's own space: whole cache lines, so that threads never write to one line. */
export const ownSpace = (elements: number): number => Math.ceil(elements / 16) * 16;
