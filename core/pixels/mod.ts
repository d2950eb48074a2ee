export { type ByteRule, byteRules, toBytes } from "./bytes.ts";
export * from "./picture.ts";
export type { ResizeFilter } from "./resampling.ts";
export * from "./resize.ts";
