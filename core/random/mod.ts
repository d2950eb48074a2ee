export * from "./hostRandom.ts";
export * from "./philox.ts";
export * from "./portable.ts";
