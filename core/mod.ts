/** onestep: distils diffusion models into generators that need one to four network evaluations. */

export * from "./di/mod.ts";
export * from "./diffusion/mod.ts";
export * from "./errors.ts";
export {
  blockOf,
  grad,
  jvp,
  type Program,
  type ProgramDefinition,
  program,
  ScalarInputs,
} from "./graph/mod.ts";
export * from "./interfaces/mod.ts";
export * from "./io/mod.ts";
export * from "./json/mod.ts";
export * from "./linalg/mod.ts";
/** Layers, parameters and frozen networks. */
export * as nn from "./nn/mod.ts";
/** Operations on tensors. A call appends a node to a graph; nothing computes here. */
export * as ops from "./ops/mod.ts";
export * from "./optim/mod.ts";
export * from "./pixels/mod.ts";
export * from "./plugin/mod.ts";
export * from "./random/mod.ts";
export * from "./tensor/mod.ts";
export * from "./train/mod.ts";
