export { ReferenceBackend } from "./backend.ts";
export type { Precision } from "./memory.ts";
