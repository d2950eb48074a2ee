export * from "./shape.ts";
export * from "./tensor.ts";
