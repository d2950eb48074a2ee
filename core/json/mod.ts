export { isPlainData, parseJson } from "./parseJson.ts";
export { repeatedKey } from "./repeatedKey.ts";
