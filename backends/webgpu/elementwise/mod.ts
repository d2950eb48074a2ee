export { type Chain, chainOf, copyChain } from "./chain.ts";
export { expressions } from "./expressions.ts";
export { type ElementwisePass, elementwisePasses } from "./passes.ts";
