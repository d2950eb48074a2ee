export { WasmBackend, type WasmOptions } from "./backend.ts";
export type {} from "./engineNames.ts";
export type { StepTime, WasmExecutable } from "./executable.ts";
export { serveThread } from "./threads/thread.ts";
