export * from "./hostRandom.ts";
export * from "./philox.ts";
