export * from "./conv.ts";
export * from "./embedding.ts";
export * from "./linear.ts";
export * from "./norm.ts";
export * from "./parameters.ts";
export * from "./scope.ts";
export * from "./selfAttention.ts";
