import { readdirSync } from "node:fs";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { checkTune, WebGpuBackend, type WebGpuOptions } from "../../backends/webgpu/mod.ts";
import type { Backend } from "../../core/interfaces/backend.ts";
import type { Flag, Given } from "./command.ts";
import { warmUpLine } from "./warmUpLine.ts";

/** The flag that `openBackend` reads. */
export const deviceFlag: Flag = {
  type: "string",
  value: "NAME",
  about: "auto, webgpu, software, wasm, reference, or part of an adapter's name; default auto",
};

/** How a GPU gets ready, and who hears of it. */
export type GpuOptions = Pick<WebGpuOptions, "tune" | "onWarmUp" | "onProblem">;

/** The flag that `tuning` reads. */
export const tuneFlag: Flag = {
  type: "string",
  value: "MODE",
  about:
    "GPU kernels where several do: as measured before (cached), measure what is new (measure), or always the same (off); default cached",
};

/** What `--tune` asks for; on a terminal, with a line that says how far the device is. @throws E_OPTION */
export function tuning(given: Given, quiet = false): GpuOptions {
  return {
    tune: checkTune(given.text("tune") ?? "cached"),
    onWarmUp: quiet ? undefined : warmUpLine(process.stderr),
    onProblem: (problem) => void process.stderr.write(`note: ${problem}\n`),
  };
}

/**
 * Opens the device of a run. `auto` is a GPU where there is one, else WebAssembly on the CPU, else a software adapter,
 * else the reference backend; the environment variable ONESTEP_ADAPTER makes it the adapter of that name.
 * @throws E_NO_ADAPTER when what was asked for by name is not there
 */
export async function openBackend(
  device = "auto",
  gpu: GpuOptions = { onWarmUp: warmUpLine(process.stderr) },
): Promise<Backend> {
  if (device === "reference") return new ReferenceBackend();
  if (device === "wasm") return WasmBackend.open();
  if (device === "webgpu") return WebGpuBackend.open(gpu);
  if (device !== "auto") return WebGpuBackend.open({ ...gpu, prefer: device });
  if (process.env.ONESTEP_ADAPTER) return WebGpuBackend.open(gpu);
  const ways = [
    ...(mayHaveGpu() ? [() => WebGpuBackend.open({ ...gpu, allowSoftware: false })] : []),
    () => WasmBackend.open(),
    () => WebGpuBackend.open({ ...gpu, prefer: "software" }),
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
