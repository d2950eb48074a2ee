import type { Program } from "../../core/graph/program.ts";
import type { Footprint } from "../../core/interfaces/backend.ts";
import { blockSize } from "./linearMemory.ts";
import { planKernels, spaceOf } from "./translate.ts";

/** Bytes of the blocks that an executable takes on so many threads. @throws KernelError when an op has no kernel */
export function footprintOf(program: Program, threads: number): Footprint {
  const { temps, own } = spaceOf(planKernels(program));
  const planned = program.plan.buffers
    .filter(({ kind }) => kind !== "state")
    .reduce((sum, { elements }) => sum + blockSize(elements * 4), 0);
  return { planned, added: blockSize(temps * 4) + blockSize(ownSpace(own) * threads * 4) };
}

/** Elements of a thread's own space: whole cache lines, so that threads never write to one line. */
export const ownSpace = (elements: number): number => Math.ceil(elements / 16) * 16;
