export type { FileSystem } from "./files.ts";
export { gunzip, isGzip } from "./gunzip.ts";
export * from "./halfFloat.ts";
export * from "./idx.ts";
export * from "./pairsFile.ts";
export * from "./pngHeader.ts";
export * from "./pngPixels.ts";
export { repeatedKey } from "./repeatedKey.ts";
export * from "./safetensors.ts";
