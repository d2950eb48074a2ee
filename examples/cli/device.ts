import type { WasmBackend } from "../../backends/wasm/mod.ts";
import type { WebGpuBackend } from "../../backends/webgpu/mod.ts";
import { checkTune } from "../../backends/webgpu/tuning/tune.ts";
import { failure } from "../../core/errors.ts";
import type { Backend } from "../../core/interfaces/backend.ts";
import { type DeviceOptions, openDevice } from "../engine/openDevice.ts";
import type { Given } from "./command.ts";
import { warmUpLine } from "./warmUpLine.ts";

/** How a device gets ready, and who hears of it. */
export type EngineOptions = Pick<DeviceOptions, "threads" | "tune" | "onWarmUp" | "onProblem">;

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

/**
 * Opens the device of a command, with wide tiles where the engine has them: the process is the command's own, so it may set flags. What
 * `auto` passes over is told in a note.
 * @throws E_NO_ADAPTER when what was asked for by name is not there; E_OPTION when ONESTEP_WIDE is neither on nor off
 */
export async function openBackend(
  device = "auto",
  options: EngineOptions = { onWarmUp: warmUpLine(process.stderr) },
): Promise<Backend> {
  const note = (text: string) => void process.stderr.write(`note: --${text}\n`);
  // No other device has tiles.
  const wide = ["auto", "wasm"].includes(device) ? wantsWide() : undefined;
  return openDevice(device, { note, wide, ...options });
}

/** The device for people: backend, maker, name, and whether it is emulated. */
export function describeBackend(backend: Backend): string {
  const { backend: kind, name, software } = backend.info;
  const vendor = "traits" in backend ? (backend as WebGpuBackend).traits.vendor : "";
  const full = name.toLowerCase().includes(vendor) ? name : `${vendor} ${name}`;
  return `${kind}: ${full}${kind === "webgpu" && software ? " (software adapter)" : ""}`;
}
