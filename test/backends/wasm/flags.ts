import { setFlagsFromString } from "node:v8";

/**
 * Makes the process run the code that long trainings run: Node 20 has relaxed SIMD behind a flag; later engines have it on,
 * and may join vectors, in optimised code only.
 */
export function setFlags(): void {
  const isOld = Number.parseInt(process.versions.v8, 10) < 13;
  const flags = isOld ? ["--experimental-wasm-relaxed-simd"] : ["--experimental-wasm-revectorize", "--no-liftoff"];
  for (const flag of flags) setFlagsFromString(flag);
}
