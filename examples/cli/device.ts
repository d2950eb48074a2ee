import { readdirSync } from "node:fs";
import type { WasmBackend } from "../../backends/wasm/mod.ts";
import type { WebGpuBackend, WebGpuOptions } from "../../backends/webgpu/mod.ts";
import { checkTune } from "../../backends/webgpu/tuning/tune.ts";
import { failure } from "../../core/errors.ts";
import type { Backend } from "../../core/interfaces/backend.ts";
import type { Given } from "./command.ts";
import { warmUpLine } from "./warmUpLine.ts";

/** How a device gets ready, and who hears of it. */
export interface EngineOptions extends Pick<WebGpuOptions, "tune" | "onWarmUp" | "onProblem"> {
  /** Of the wasm backend. */
  readonly threads?: number;
}

/** What `--threads` asks for. @throws E_USAGE */
function threadsOf(given: Given): number | undefined {
  const wish = given.text("threads");
  if (wish === undefined) return undefined;
  const threads = Number(wish);
  if (!Number.isInteger(threads) || threads < 1)
    throw failure("E_USAGE", `Cannot use --threads ${wish}: expected a whole number from 1`);
  return threads;
}

/** What `--tune` and `--threads` ask for; on a terminal, with a line that says how far the device is. @throws E_OPTION */
export function tuning(given: Given, quiet = false): EngineOptions {
  return {
    threads: threadsOf(given),
    tune: checkTune(given.text("tune") ?? "cached"),
    onWarmUp: quiet ? undefined : warmUpLine(process.stderr),
    onProblem: (problem) => void process.stderr.write(`note: ${problem}\n`),
  };
}

/** How each kind of device is opened; its code is loaded when it is wanted. */
const openers = {
  async webgpu(options: WebGpuOptions): Promise<Backend> {
    const { WebGpuBackend } = await import("../../backends/webgpu/mod.ts");
    return WebGpuBackend.open(options);
  },
  wasm: (threads?: number): Promise<Backend> => openWasm(threads),
  async reference(): Promise<Backend> {
    const { ReferenceBackend } = await import("../../backends/reference/mod.ts");
    return new ReferenceBackend();
  },
};

/** Whether wide tiles are wanted: the environment variable ONESTEP_WIDE. @throws E_OPTION when it is neither on nor off */
function wantsWide(): boolean {
  const wish = process.env.ONESTEP_WIDE || "on";
  if (!["on", "off"].includes(wish))
    throw failure("E_OPTION", `Cannot read ONESTEP_WIDE="${wish}": expected on or off`);
  return wish === "on";
}

/**
 * The wasm backend, with wide tiles where the engine has them: the process is the command's own, so it may set flags.
 * @throws E_OPTION
 */
export async function openWasm(threads?: number): Promise<WasmBackend> {
  const wide = wantsWide();
  const { WasmBackend } = await import("../../backends/wasm/mod.ts");
  return WasmBackend.open({ wide, threads });
}

/** What `openBackend` looks at besides the device's name; a test gives its own. */
interface Machine {
  readonly openers: typeof openers;
  readonly mayHaveGpu: () => boolean;
  /** Hears why `auto` passed over a device. */
  readonly note: (text: string) => void;
}

const thisMachine: Machine = {
  openers,
  mayHaveGpu,
  note: (text) => void process.stderr.write(`note: ${text}\n`),
};

/**
 * Opens the device of a run. `auto` is a GPU where there is one, else WebAssembly on the CPU, else a software adapter,
 * else the reference backend, with a note for each that failed; the environment variable ONESTEP_ADAPTER makes it the
 * adapter of that name.
 * @throws E_NO_ADAPTER when what was asked for by name is not there; E_OPTION when ONESTEP_WIDE is neither on nor off
 */
export async function openBackend(
  device = "auto",
  { threads, ...gpu }: EngineOptions = { onWarmUp: warmUpLine(process.stderr) },
  { openers, mayHaveGpu, note } = thisMachine,
): Promise<Backend> {
  if (device === "reference") return openers.reference();
  if (device === "wasm") return openers.wasm(threads);
  if (device === "webgpu") return openers.webgpu(gpu);
  if (device !== "auto") return openers.webgpu({ ...gpu, prefer: device });
  if (process.env.ONESTEP_ADAPTER) return openers.webgpu(gpu);
  wantsWide();
  const ways: [name: string, open: () => Promise<Backend>][] = [
    ["wasm", () => openers.wasm(threads)],
    ["a software adapter", () => openers.webgpu({ ...gpu, prefer: "software" })],
  ];
  if (mayHaveGpu()) ways.unshift(["a GPU", () => openers.webgpu({ ...gpu, allowSoftware: false })]);
  for (const [name, open] of ways) {
    try {
      return await open();
    } catch (error) {
      const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
      note(`--device auto can't use ${name}: ${reason}`);
    }
  }
  return openers.reference();
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
  const vendor = "traits" in backend ? (backend as WebGpuBackend).traits.vendor : "";
  const full = name.toLowerCase().includes(vendor) ? name : `${vendor} ${name}`;
  return `${kind}: ${full}${kind === "webgpu" && software ? " (software adapter)" : ""}`;
}
