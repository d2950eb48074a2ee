/** onestep: distils diffusion models into generators that need one to four network evaluations (DMD2). */

export * from "./di/mod.ts";
export * from "./diffusion/mod.ts";
export * from "./errors.ts";
export { grad, type Program, type ProgramDefinition, program } from "./graph/mod.ts";
export * from "./interfaces/mod.ts";
export * as nn from "./nn/mod.ts";
export * as ops from "./ops/mod.ts";
export * from "./plugin/mod.ts";
export * from "./random/philox.ts";
export * from "./tensor/mod.ts";
export * from "./train/mod.ts";
