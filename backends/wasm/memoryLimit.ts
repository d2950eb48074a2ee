import { hasMemory64 } from "./kernelModule.ts";
import type { LinearOptions } from "./linearMemory.ts";
import type { Host } from "./threads/host.ts";

/** What engines allow. */
const GIB_64 = 16;

/**
 * How much memory a backend may have: more than 4 GiB where the engine has 64-bit addresses, but no more than the machine has
 * unless `memory64` asks for it. Their kernels are built with relaxed SIMD: without it they would give other bits.
 */
export function memoryLimit(
  { memory: machine = Number.POSITIVE_INFINITY }: Pick<Host, "memory">,
  { relaxed, memory64 }: { relaxed: boolean; memory64?: boolean },
): Pick<LinearOptions, "most" | "hint"> {
  if (memory64 === false || !relaxed) return {};
  if (!hasMemory64())
    return {
      hint: `use Node 24, Deno 2.9 or a browser with memory64, where wasm may have ${GIB_64} GiB`,
    };
  const most = GIB_64 * 2 ** 30;
  return { most: memory64 ? most : Math.min(most, machine) };
}
