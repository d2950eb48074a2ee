/** The machine as Node and Deno tell it: the only file of the wasm backend that knows their modules. */
import type { Host } from "./host.ts";

interface NodeProcess {
  getBuiltinModule?(name: string): unknown;
  /** The limit of a container; 0 or an absurd number where there is none. */
  constrainedMemory?(): number | undefined;
}

const { process } = globalThis as { process?: NodeProcess };

// Asked for at run time, so that bundles for browsers need no stand-in for these modules.
const builtin = <Module>(name: string): Module | undefined => process?.getBuiltinModule?.(name) as Module | undefined;

/** The host, or undefined in a browser. */
export function nodeHost(): Host | undefined {
  const os = builtin<typeof import("node:os")>("node:os");
  if (!os) return undefined;
  return {
    processor: os.cpus()[0]?.model.trim() || os.arch(),
    cores: os.availableParallelism(),
    memory: memoryOf(os),
    mayWait: true,
    allowRelaxedSimd() {
      // Node 20 has it, finished, behind a flag.
      try {
        builtin<typeof import("node:v8")>("node:v8")?.setFlagsFromString("--experimental-wasm-relaxed-simd");
      } catch {
        // Deno has no such flag, and needs none.
      }
    },
  };
}

/** What the machine has or a container allows. */
function memoryOf(os: typeof import("node:os")): number | undefined {
  try {
    return Math.min(os.totalmem(), process?.constrainedMemory?.() || Number.POSITIVE_INFINITY);
  } catch {
    return undefined; // Deno without the permission to tell
  }
}
