/** Threads in Node and Deno: the only file of the wasm backend that knows their modules. */
import type { Host } from "./host.ts";

interface NodeProcess {
  getBuiltinModule?(name: string): unknown;
}

// Asked for at run time, so that bundles for browsers need no stand-in for these modules.
const builtin = <Module>(name: string): Module | undefined =>
  (globalThis as { process?: NodeProcess }).process?.getBuiltinModule?.(name) as Module | undefined;

/** The host, or undefined in a browser. */
export function nodeHost(): Host | undefined {
  const threads = builtin<typeof import("node:worker_threads")>("node:worker_threads");
  const os = builtin<typeof import("node:os")>("node:os");
  if (!threads || !os) return undefined;
  return {
    processor: os.cpus()[0]?.model.trim() || os.arch(),
    cores: os.availableParallelism(),
    mayWait: true,
    allowRelaxedSimd() {
      // Node 20 has it, finished, behind a flag.
      try {
        builtin<typeof import("node:v8")>("node:v8")?.setFlagsFromString(
          "--experimental-wasm-relaxed-simd",
        );
      } catch {
        // Deno has no such flag, and needs none.
      }
    },
    startWorker(script) {
      const listen =
        '(handle) => process.getBuiltinModule("node:worker_threads").parentPort.on("message", handle)';
      const worker = new threads.Worker(script(listen), { eval: true });
      worker.unref();
      return {
        post: (message) => worker.postMessage(message),
        stop: async () => void (await worker.terminate()),
      };
    },
  };
}
