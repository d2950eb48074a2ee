// The door of the platform's own WebGPU: browsers, and Deno.
import type { Candidate } from "./candidate.ts";

/** What can be asked of `navigator.gpu`, best first. Platforms may give the same adapter several times. */
const wishes: GPURequestAdapterOptions[] = [
  { powerPreference: "high-performance" },
  { powerPreference: "low-power" },
  { forceFallbackAdapter: true },
];

/** The adapters that `navigator.gpu` gives. `name` is the one that is wanted, if one is. */
export async function* navigatorCandidates(name?: string): AsyncGenerator<Candidate> {
  const gpu = globalThis.navigator.gpu;
  let origin: Candidate["origin"] = "system";
  if ("Deno" in globalThis) {
    const { prepareDenoDriver } = await import("./denoDriver.ts");
    if (await prepareDenoDriver(name)) origin = "package";
  }
  for (const wish of wishes) yield { via: "navigator", origin, request: () => gpu.requestAdapter(wish) };
}
