// What libraries written for browsers miss in Node 20: WebGPU on `navigator`, and the iterator helpers.
import { create, globals } from "webgpu";
import { GpuCounters } from "../gpuCounters.ts";

/** Installs them, and counts the calls of WebGPU. */
export function installBrowserGlobals() {
  Object.assign(globalThis, globals);
  const navigator = {
    gpu: create([]),
    userAgent: "node",
    platform: "linux",
    language: "en",
    hardwareConcurrency: Number(process.argv[3]),
  };
  Object.defineProperty(globalThis, "navigator", {
    value: navigator,
    configurable: true,
    writable: true,
  });
  installIteratorHelpers();
  return new GpuCounters(globals);
}

/** "llvmpipe (LLVM 15.0.7, 256 bits)" */
export async function adapterName() {
  const adapter = await navigator.gpu.requestAdapter();
  return adapter?.info.description || adapter?.info.device || "no adapter";
}

function installIteratorHelpers() {
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  const helpers = {
    *map(f) {
      let i = 0;
      for (const x of this) yield f(x, i++);
    },
    *filter(f) {
      let i = 0;
      for (const x of this) if (f(x, i++)) yield x;
    },
    *flatMap(f) {
      let i = 0;
      for (const x of this) yield* f(x, i++);
    },
    *take(n) {
      let i = 0;
      if (n <= 0) return;
      for (const x of this) {
        yield x;
        if (++i >= n) return;
      }
    },
    *drop(n) {
      let i = 0;
      for (const x of this) if (i++ >= n) yield x;
    },
    toArray() {
      return [...this];
    },
    some(f) {
      for (const x of this) if (f(x)) return true;
      return false;
    },
    every(f) {
      for (const x of this) if (!f(x)) return false;
      return true;
    },
    find(f) {
      for (const x of this) if (f(x)) return x;
      return undefined;
    },
    reduce(f, ...start) {
      return [...this].reduce(f, ...start);
    },
    forEach(f) {
      for (const x of this) f(x);
    },
  };
  for (const [name, value] of Object.entries(helpers))
    if (!prototype[name]) Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}
