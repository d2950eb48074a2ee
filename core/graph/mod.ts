export { grad } from "./differentiate.ts";
export { isUniform, rootOf, type Unit } from "./fuse.ts";
export { ALIGNMENT, type BufferSpec, isAligned, type Place, type Plan, type Step } from "./plan.ts";
export { type Program, type ProgramDefinition, program } from "./program.ts";
export { simplify } from "./simplify.ts";
export { topologicalOrder } from "./traverse.ts";
