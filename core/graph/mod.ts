export { blockOf } from "./block.ts";
export { type GradOptions, grad } from "./differentiate.ts";
export { isUniform, type Unit } from "./fuse.ts";
export { ALIGNMENT, type BufferSpec, isAligned, type Place, type Plan, type Step } from "./plan.ts";
export { type Program, type ProgramDefinition, program } from "./program.ts";
export { ScratchPool } from "./scratchPool.ts";
export { simplify } from "./simplify.ts";
export { topologicalOrder } from "./traverse.ts";
export { rootOf } from "./views.ts";
