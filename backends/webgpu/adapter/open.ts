import { failure, type OnestepError } from "../../../core/errors.ts";
import { describeSystem } from "../../host/system.ts";
import { adviceFor } from "./advice.ts";
import type { Candidate, Origin } from "./candidate.ts";
import { deviceRequest } from "./limits.ts";
import { selfCheck } from "./selfCheck.ts";
import { type DeviceTraits, isNullBackend, traitsOf } from "./traits.ts";

/** What to open, and whom to tell when it is gone. */
export interface OpenOptions {
  /**
   * "hardware" (the default): a GPU, else the CPU. "software": the CPU. Anything else is part of the adapter's or its
   * driver's name, upper or lower case. Without it, the environment variable ONESTEP_ADAPTER has the same meaning.
   */
  readonly prefer?: "hardware" | "software" | (string & {});
  /** False refuses adapters that run on the CPU, unless `prefer` asks for one. Default: true. */
  readonly allowSoftware?: boolean;
  /** Called when the device is lost without `close`, with an E_DEVICE_LOST error. */
  readonly onLost?: (error: OnestepError) => void;
}

/** An open device, its owner's to close. */
export interface OpenedDevice {
  readonly device: GPUDevice;
  readonly traits: DeviceTraits;
  /** Destroys the device with all its buffers; the process can end afterwards. A second call does nothing. */
  close(): Promise<void>;
}

/** An adapter of this machine, tried. */
export interface AdapterEntry {
  readonly traits: DeviceTraits;
  readonly origin: Origin;
  /** Milliseconds from the request to a device that has computed correctly. */
  readonly openMs: number;
  /** Why it can't be used; undefined when it can. */
  readonly problem?: string;
}

/** Devices in use. Dawn crashes when one is collected with work pending, so each stays here until it is lost. */
const live = new Set<GPUDevice>();

/** Opens the best adapter that fits: hardware first, then an installed software driver, then the one from npm. */
export async function openDevice(options: OpenOptions = {}): Promise<OpenedDevice> {
  const wish = wishOf(options);
  const tried = new Set<string>();
  for await (const candidate of candidates(wish.name)) {
    const label = candidate.name ?? "the system's adapter";
    if (!mayFit(candidate, wish)) {
      tried.add(`${label} (software)`);
      continue;
    }
    try {
      const found = await request(candidate);
      if (!found) continue;
      const { adapter, traits } = found;
      if (!fits(traits, wish)) tried.add(`${traits.name} (${traits.type})`);
      else return await openAdapter(adapter, traits, options);
    } catch (error) {
      tried.add(`${label}: ${(error as Error).message}`);
    }
  }
  throw noAdapter(wish, [...tried]);
}

/**
 * Every adapter of this machine, each opened, checked with a small kernel and closed again. `onProblem` hears of the
 * places where adapters were looked for in vain because something is broken.
 */
export async function listAdapters(onProblem?: (problem: string) => void): Promise<AdapterEntry[]> {
  const entries = new Map<string, AdapterEntry>();
  for await (const candidate of candidates()) {
    const start = performance.now();
    const found = await request(candidate).catch((error: Error) => onProblem?.(error.message));
    const key = `${found?.traits.name} ${found?.traits.driver}`;
    if (!found || entries.has(key)) continue;
    const { adapter, traits: offered } = found;
    const { origin } = candidate;
    try {
      const { traits, close } = await openAdapter(adapter, offered, {});
      entries.set(key, { traits, origin, openMs: performance.now() - start });
      await close();
    } catch (error) {
      const problem = (error as Error).message;
      entries.set(key, { traits: offered, origin, openMs: performance.now() - start, problem });
    }
  }
  return [...entries.values()];
}

/** What is wanted, with the environment's word taken in. */
interface Wish {
  readonly name?: string;
  readonly software: "required" | "allowed" | "refused";
}

function wishOf({ prefer, allowSoftware = true }: OpenOptions): Wish {
  const wanted = prefer ?? environment("ONESTEP_ADAPTER") ?? "hardware";
  if (wanted === "hardware") return { software: allowSoftware ? "allowed" : "refused" };
  if (wanted === "software") return { software: "required" };
  return { name: wanted, software: "allowed" };
}

function environment(name: string): string | undefined {
  try {
    return globalThis.process?.env?.[name] || undefined;
  } catch {
    return undefined; // Deno without --allow-env
  }
}

async function* candidates(name?: string): AsyncGenerator<Candidate> {
  if (globalThis.navigator?.gpu) yield* (await import("./navigator.ts")).navigatorCandidates(name);
  else if (globalThis.process?.versions?.node) yield* (await import("./dawn.ts")).dawnCandidates();
}

/** Judges the npm driver by its name alone, so that it is not unpacked and loaded only to be turned away. */
function mayFit({ name, origin }: Candidate, wish: Wish): boolean {
  if (origin === "system" || name === undefined) return true;
  return wish.software !== "refused" && contains(name, wish.name);
}

function fits(traits: DeviceTraits, wish: Wish): boolean {
  if (traits.software && wish.software === "refused") return false;
  if (!traits.software && wish.software === "required") return false;
  return contains(`${traits.name} ${traits.driver} ${traits.vendor}`, wish.name);
}

const contains = (text: string, part = "") => text.toLowerCase().includes(part.toLowerCase());

async function request(candidate: Candidate) {
  const adapter = await candidate.request();
  if (!adapter || isNullBackend(adapter.info)) return undefined;
  return { adapter, traits: traitsOf(adapter.info, adapter, candidate.via) };
}

async function openAdapter(
  adapter: GPUAdapter,
  offered: DeviceTraits,
  { onLost }: OpenOptions,
): Promise<OpenedDevice> {
  const device = await adapter.requestDevice(deviceRequest(adapter));
  const traits = traitsOf(adapter.info, device, offered.via);
  let closed = false;
  live.add(device);
  const gone = device.lost.then(({ message }) => {
    live.delete(device);
    if (!closed) onLost?.(lost(traits, message));
  });
  const close = async () => {
    closed = true;
    device.destroy();
    await gone;
  };
  const problem = await selfCheck(device);
  if (problem === undefined) return { device, traits, close };
  await close();
  throw new Error(problem);
}

function lost({ name }: DeviceTraits, message: string): OnestepError {
  const reason = message || "the driver gave no reason";
  return failure("E_DEVICE_LOST", `Cannot go on with ${name}: the device was lost, ${reason}`);
}

function noAdapter(wish: Wish, tried: string[]): OnestepError {
  const kind = { required: "a software", allowed: "an", refused: "a hardware" }[wish.software];
  const wanted = `${kind} adapter${wish.name ? ` whose name has "${wish.name}"` : ""}`;
  const found = tried.length > 0 ? `found only ${tried.join(", ")}` : "found none";
  const advice = wish.name
    ? "`onestep doctor` lists the adapters by name"
    : adviceFor(describeSystem()).join("; ");
  return failure("E_NO_ADAPTER", `Cannot open a WebGPU device: ${found}, wanted ${wanted}`, {
    fix: `${advice}; or run with --device reference`,
  });
}
