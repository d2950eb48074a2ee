import { readdirSync } from "node:fs";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { WebGpuBackend } from "../../backends/webgpu/mod.ts";
import type { Backend } from "../../core/interfaces/backend.ts";

/** What `--device` takes. */
export const deviceAbout =
  "auto, webgpu, software, wasm, reference, or part of an adapter's name; default auto";

/**
 * Opens the device of a run. `auto` is a GPU where there is one, else WebAssembly on the CPU, else a software adapter,
 * else the reference backend; the environment variable ONESTEP_ADAPTER makes it the adapter of that name.
 * @throws E_NO_ADAPTER when what was asked for by name is not there
 */
export async function openBackend(device = "auto"): Promise<Backend> {
  if (device === "reference") return new ReferenceBackend();
  if (device === "wasm") return WasmBackend.open();
  if (device === "webgpu") return WebGpuBackend.open();
  if (device !== "auto") return WebGpuBackend.open({ prefer: device });
  if (process.env.ONESTEP_ADAPTER) return WebGpuBackend.open();
  const ways = [
    ...(mayHaveGpu() ? [() => WebGpuBackend.open({ allowSoftware: false })] : []),
    () => WasmBackend.open(),
    () => WebGpuBackend.open({ prefer: "software" }),
  ];
  for (const open of ways) {
    try {
      return await open();
    } catch {
      // The next one is slower but needs less of the machine.
    }
  }
  return new ReferenceBackend();
}

/**
 * Whether a GPU's driver can have anything to talk to. Without a device file on Linux it can't, and looking for adapters
 * would only load drivers for nothing and print their warnings.
 */
function mayHaveGpu(): boolean {
  if (process.platform !== "linux") return true;
  try {
    return readdirSync("/dev").some((name) => /^(dri|nvidia|kfd|dxg|mali|kgsl|pvr)/.test(name));
  } catch {
    return true;
  }
}

/** The device for people: backend, maker, name, and whether it is emulated. */
export function describeBackend(backend: Backend): string {
  const { backend: kind, name, software } = backend.info;
  const vendor = backend instanceof WebGpuBackend ? backend.traits.vendor : "";
  const full = name.toLowerCase().includes(vendor) ? name : `${vendor} ${name}`;
  return `${kind}: ${full}${kind === "webgpu" && software ? " (software adapter)" : ""}`;
}
