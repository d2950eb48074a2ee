import { failure } from "../../core/errors.ts";
import { hasMemory64 } from "./kernelModule.ts";
import type { LinearOptions } from "./linearMemory.ts";
import type { Host } from "./threads/host.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** What engines allow with addresses of 32 and of 64 bits. */
const ENGINE = { narrow: 4 * GIB, wide: 16 * GIB };
/** A memory for the smallest programs, however little the machine tells. */
const LEAST = 16 * MIB;

const OTHER_ENGINES = `use Node 24, Deno 2.9 or a browser with memory64, where wasm may have ${ENGINE.wide / GIB} GiB`;
const RELAXED = `leave { relaxed: false } out, with which wasm has ${ENGINE.narrow / GIB} GiB`;

/**
 * How much memory a backend may have: what the machine or its container has left, up to 4 GiB, or 16 GiB where the engine has
 * 64-bit addresses. Their kernels are built with relaxed SIMD: without it they would give other bits. With `memory64: true` the
 * machine is not asked.
 * @throws E_OPTION where `memory64: true` asks for what the engine, or `relaxed: false`, does not allow
 */
export function memoryLimit(
  { memory: machine = Number.POSITIVE_INFINITY }: Pick<Host, "memory">,
  { relaxed, memory64 }: { relaxed: boolean; memory64?: boolean },
): Required<Pick<LinearOptions, "most">> & Pick<LinearOptions, "hint"> {
  const wide = relaxed && memory64 !== false && hasMemory64();
  if (memory64 && !wide)
    throw failure(
      "E_OPTION",
      `Cannot configure the wasm backend: memory64 is true, ${relaxed ? "and this engine has no 64-bit addresses" : "and its kernels need relaxed SIMD"}`,
      { fix: `leave memory64 out; or ${relaxed ? OTHER_ENGINES : RELAXED}` },
    );
  const engine = wide ? ENGINE.wide : ENGINE.narrow;
  const left = memory64 ? engine : Math.max(machine, LEAST);
  const more = wide || memory64 === false ? undefined : relaxed ? OTHER_ENGINES : RELAXED;
  return left < engine
    ? {
        most: left,
        hint: `give it more memory: this machine, or its container, has ${(left / MIB).toFixed(0)} MiB left`,
      }
    : { most: engine, hint: more };
}
