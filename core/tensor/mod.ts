export { allFinite } from "./allFinite.ts";
export * from "./joined.ts";
export * from "./shape.ts";
export * from "./storage.ts";
export * from "./tensor.ts";
