export { ALIGNMENT, alignmentOf } from "./alignment.ts";
export { blockOf } from "./block.ts";
export { type GradOptions, grad } from "./differentiate.ts";
export { type FinalState, finalStates } from "./finalStates.ts";
export type { Unit } from "./fuse.ts";
export { jvp } from "./jvp.ts";
export {
  type BufferSpec,
  type ElementwiseStep,
  isAligned,
  type Place,
  type Plan,
  type Step,
} from "./plan.ts";
export { type Program, type ProgramDefinition, program } from "./program.ts";
export { ScalarInputs } from "./scalarInputs.ts";
export { ScratchPool } from "./scratchPool.ts";
export { simplify } from "./simplify.ts";
export { topologicalOrder } from "./traverse.ts";
export { readersOf, rootOf } from "./views.ts";
