import type { Host } from "./host.ts";

/** Threads in a browser. Workers need a page that is cross-origin isolated. */
export function browserHost(): Host {
  return {
    processor: "CPU",
    cores: globalThis.navigator?.hardwareConcurrency ?? 1,
    // A page must not sleep, a worker may.
    mayWait: typeof document === "undefined",
    allowRelaxedSimd: () => {},
    joinVectors: () => "browsers have no 256-bit vectors for WebAssembly",
  };
}
