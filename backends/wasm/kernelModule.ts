import { failure } from "../../core/errors.ts";
import type { MemoryKind } from "./emit/module.ts";
import { plain, relaxed } from "./kernels.generated.ts";

/** `f32x4.relaxed_madd` in a function: valid where the engine has relaxed SIMD. */
const RELAXED_PROBE = Uint8Array.of(
  0,
  0x61,
  0x73,
  0x6d,
  1,
  0,
  0,
  0,
  1,
  8,
  1,
  0x60,
  3,
  0x7b,
  0x7b,
  0x7b,
  1,
  0x7b,
  3,
  2,
  1,
  0,
  0x0a,
  0x0d,
  1,
  0x0b,
  0,
  0x20,
  0,
  0x20,
  1,
  0x20,
  2,
  0xfd,
  0x85,
  0x02,
  0x0b,
);
/** The same with `f32x4.add`. */
const SIMD_PROBE = Uint8Array.of(
  0,
  0x61,
  0x73,
  0x6d,
  1,
  0,
  0,
  0,
  1,
  7,
  1,
  0x60,
  2,
  0x7b,
  0x7b,
  1,
  0x7b,
  3,
  2,
  1,
  0,
  0x0a,
  0x0b,
  1,
  0x09,
  0,
  0x20,
  0,
  0x20,
  1,
  0xfd,
  0xe4,
  0x01,
  0x0b,
);

/** A memory of 64-bit addresses. */
const MEMORY64_PROBE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 4, 0);

/** Whether memories may be larger than 4 GiB, and the kernels for them run: they are built with relaxed SIMD only. */
export const hasMemory64 = (): boolean => hasRelaxedSimd() && WebAssembly.validate(MEMORY64_PROBE);

export const hasRelaxedSimd = (): boolean => WebAssembly.validate(RELAXED_PROBE);

/** @throws KernelError when the engine has no SIMD. */
export function checkSimd(): void {
  if (!WebAssembly.validate(SIMD_PROBE))
    throw failure("E_NO_ADAPTER", "Cannot start the wasm backend: this JavaScript engine has no WebAssembly SIMD", {
      fix: "use Node 20, Deno 2 or a browser of 2023 or later, or run with --device reference",
    });
}

/** The compiled kernels of assembly/, and the tile set that their instances are to use: 1 for the wide one. */
export interface Kernels {
  readonly module: WebAssembly.Module;
  readonly wide: 0 | 1;
}

/** Compiles the kernels for a memory of any kind. */
export async function compileKernels(options: MemoryKind & { relaxed: boolean }): Promise<WebAssembly.Module> {
  const text = atob(options.addresses === "i64" ? await kernels64() : options.relaxed ? relaxed : plain);
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  if (!options.shared) clearSharedFlag(bytes);
  return compileModule(bytes);
}

/**
 * WebAssembly.compile, which in Node 24 does not keep the process alive where functions are compiled at once
 * (`--no-wasm-lazy-compilation`): without the timer it would end with code 13.
 */
export async function compileModule(bytes: ArrayBuffer | ArrayBufferView<ArrayBuffer>): Promise<WebAssembly.Module> {
  const hold = setInterval(() => {}, 1000);
  try {
    return await WebAssembly.compile(bytes);
  } finally {
    clearInterval(hold);
  }
}

/** Loaded when they are needed: few programs need more than 4 GiB. */
const kernels64 = async (): Promise<string> => (await import("./kernels64.generated.ts")).relaxed;

/** Makes the module import a plain memory: the only difference is one bit in the limits of the import. */
function clearSharedFlag(bytes: Uint8Array): void {
  const name = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2]; // "env" "memory", a memory
  const start = bytes.findIndex((_, i) => name.every((byte, j) => bytes[i + j] === byte));
  bytes[start + name.length] &= ~2;
}
