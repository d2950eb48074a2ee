import type { WebGpuOptions } from "../../backends/webgpu/mod.ts";
import type { Backend } from "../../core/interfaces/backend.ts";

/** How a device is opened that is named, and who hears of it. */
export interface DeviceOptions extends Pick<WebGpuOptions, "tune" | "onWarmUp" | "onProblem"> {
  /** Of the wasm backend: threads that compute; as many as can run at once when absent. */
  readonly threads?: number;
  /** Of the wasm backend: wide tiles, which sets a flag of the whole process; see `WasmOptions`. */
  readonly wide?: boolean;
  /** Hears, a sentence each, why `auto` passes over a device. */
  readonly note?: (text: string) => void;
}

/** How each kind of device is opened; its code is loaded when it is wanted. */
const openers = {
  async webgpu(options: WebGpuOptions): Promise<Backend> {
    const { WebGpuBackend } = await import("../../backends/webgpu/mod.ts");
    return WebGpuBackend.open(options);
  },
  async wasm({ threads, wide }: Pick<DeviceOptions, "threads" | "wide">): Promise<Backend> {
    const { WasmBackend } = await import("../../backends/wasm/mod.ts");
    return WasmBackend.open({ threads, wide });
  },
  async reference(): Promise<Backend> {
    const { ReferenceBackend } = await import("../../backends/reference/mod.ts");
    return new ReferenceBackend();
  },
};

/** What `openDevice` looks at besides the device's name; a test gives its own. */
export interface Machine {
  readonly openers: typeof openers;
  readonly mayHaveGpu: () => boolean;
}

/**
 * Opens a device by name: `webgpu`, `software`, `wasm`, `reference`, or part of an adapter's name. `auto` is a GPU where there is one, else
 * WebAssembly on the CPU, else a software adapter, else the reference backend; the environment variable ONESTEP_ADAPTER makes it
 * the adapter of that name.
 * @throws E_NO_ADAPTER when what was asked for by name is not there, E_KERNEL where WebAssembly has no SIMD
 */
export async function openDevice(
  device = "auto",
  { threads, wide, note, ...gpu }: DeviceOptions = {},
  { openers: open, mayHaveGpu }: Machine = { openers, mayHaveGpu: mayHaveDriver },
): Promise<Backend> {
  if (device === "reference") return open.reference();
  if (device === "wasm") return open.wasm({ threads, wide });
  if (device === "webgpu") return open.webgpu(gpu);
  if (device !== "auto") return open.webgpu({ ...gpu, prefer: device });
  if (adapterWish()) return open.webgpu(gpu);
  const ways: [name: string, open: () => Promise<Backend>][] = [
    ["wasm", () => open.wasm({ threads, wide })],
    ["a software adapter", () => open.webgpu({ ...gpu, prefer: "software" })],
  ];
  if (mayHaveGpu()) ways.unshift(["a GPU", () => open.webgpu({ ...gpu, allowSoftware: false })]);
  for (const [name, way] of ways) {
    try {
      return await way();
    } catch (error) {
      const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
      note?.(`device auto can't use ${name}: ${reason}`);
    }
  }
  return open.reference();
}

function adapterWish(): string | undefined {
  try {
    return globalThis.process?.env?.ONESTEP_ADAPTER || undefined;
  } catch {
    return undefined; // Deno without --allow-env
  }
}

/**
 * Whether a GPU's driver can have anything to talk to. Without a device file on Linux it can't, and looking for adapters would only
 * load drivers for nothing and print their warnings. Node's module is asked for at run time, so that a page may contain this file.
 */
function mayHaveDriver(): boolean {
  try {
    const { process } = globalThis;
    if (process?.platform !== "linux") return true;
    const names: string[] = process.getBuiltinModule("node:fs").readdirSync("/dev");
    return names.some((name) => /^(dri|nvidia|kfd|dxg|mali|kgsl|pvr)/.test(name));
  } catch {
    return true;
  }
}
