export { type Chain, chainOf, copyChain } from "./chain.ts";
export { expressions } from "./expressions.ts";
export { layOut } from "./layout.ts";
export { type ElementwisePass, elementwisePasses } from "./passes.ts";
export { chainCode } from "./source.ts";
