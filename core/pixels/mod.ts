export * from "./picture.ts";
export type { ResizeFilter } from "./resampling.ts";
export * from "./resize.ts";
