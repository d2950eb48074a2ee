import { failure, type OnestepError } from "../../../core/errors.ts";
import { describeSystem } from "../../host/system.ts";
import { adviceFor } from "./advice.ts";
import type { Candidate, Origin } from "./candidate.ts";
import { deviceRequest } from "./limits.ts";
import { probeOnce } from "./matrixProbe.ts";
import { selfCheck } from "./selfCheck.ts";
import { type DeviceTraits, isNullBackend, type MatrixTraits, traitsOf } from "./traits.ts";

/** What to open, and whom to tell when it is gone. */
export interface OpenOptions {
  /**
   * "hardware" (the default): a GPU, else the CPU. "software": the CPU. Anything else is part of the adapter's or its
   * driver's name, upper or lower case. Without it, the environment variable ONESTEP_ADAPTER has the same meaning.
   */
  readonly prefer?: "hardware" | "software" | (string & {});
  /** False refuses adapters that run on the CPU, unless `prefer` asks for one. Default: true. */
  readonly allowSoftware?: boolean;
  /**
   * Whether to look for subgroup matrices, which multiply matrices in one go and are no part of WebGPU yet. Default: on
   * GPUs, but not on Windows, where drivers were seen to crash. Without it, the environment variable ONESTEP_MATRICES,
   * "on" or "off", has the same meaning.
   */
  readonly matrices?: boolean;
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
  for await (const candidate of candidates(wish)) {
    const label = candidate.name ?? "the system's adapter";
    if (!mayFit(candidate, wish)) {
      tried.add(`${label} (software)`);
      continue;
    }
    try {
      const found = await request(candidate);
      if (!found) continue;
      const { traits } = found;
      if (!fits(traits, wish)) tried.add(`${traits.name} (${traits.type})`);
      else return await openAdapter(found, wish, options.onLost);
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
  const wish = { ...wishOf({}), name: undefined };
  for await (const candidate of candidates(wish)) {
    const start = performance.now();
    const found = await request(candidate).catch((error: Error) => onProblem?.(error.message));
    const key = `${found?.traits.name} ${found?.traits.driver}`;
    if (!found || entries.has(key)) continue;
    const { origin } = candidate;
    try {
      const { traits, close } = await openAdapter(found, wish);
      entries.set(key, { traits, origin, openMs: performance.now() - start });
      await close();
    } catch (error) {
      const problem = (error as Error).message;
      const openMs = performance.now() - start;
      entries.set(key, { traits: found.traits, origin, openMs, problem });
    }
  }
  return [...entries.values()];
}

/** What is wanted, with the environment's word taken in. */
interface Wish {
  readonly name?: string;
  readonly software: "required" | "allowed" | "refused";
  /** Undefined: where they are likely to be of use. */
  readonly matrices?: boolean;
}

function wishOf({ prefer, allowSoftware = true, matrices = matricesWish() }: OpenOptions): Wish {
  const wanted = prefer ?? environment("ONESTEP_ADAPTER") ?? "hardware";
  if (wanted === "hardware") return { software: allowSoftware ? "allowed" : "refused", matrices };
  if (wanted === "software") return { software: "required", matrices };
  return { name: wanted, software: "allowed", matrices };
}

function matricesWish(): boolean | undefined {
  const wanted = environment("ONESTEP_MATRICES");
  if (wanted === undefined) return undefined;
  if (["on", "off"].includes(wanted)) return wanted === "on";
  throw failure("E_OPTION", `Cannot read ONESTEP_MATRICES="${wanted}": expected on or off`);
}

function environment(name: string): string | undefined {
  try {
    return globalThis.process?.env?.[name] || undefined;
  } catch {
    return undefined; // Deno without --allow-env
  }
}

async function* candidates({ name, matrices }: Wish): AsyncGenerator<Candidate> {
  if (globalThis.navigator?.gpu) yield* (await import("./navigator.ts")).navigatorCandidates(name);
  else if (globalThis.process?.versions?.node) yield* (await import("./dawn.ts")).dawnCandidates(matrices);
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

/** An adapter with the traits it offers, and how to ask for it again. */
interface Found extends Pick<Candidate, "request"> {
  readonly adapter: GPUAdapter;
  readonly traits: DeviceTraits;
}

async function request({ request, via }: Candidate): Promise<Found | undefined> {
  const adapter = await request();
  if (!adapter || isNullBackend(adapter.info)) return undefined;
  return { adapter, traits: traitsOf(adapter.info, adapter, via), request };
}

async function openAdapter(
  { adapter, traits: offered, request }: Found,
  wish: Wish,
  onLost?: OpenOptions["onLost"],
): Promise<OpenedDevice> {
  const found: MatrixTraits =
    wish.matrices === false
      ? { matrices: [], matricesProblem: "turned off" }
      : await probeOnce(`${offered.name} ${offered.driver}`)(adapter, request);
  const device = await adapter.requestDevice(deviceRequest(adapter, found.matrices.length > 0));
  const traits = traitsOf(adapter.info, device, offered.via, found);
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
  const advice = wish.name ? "`onestep doctor` lists the adapters by name" : adviceFor(describeSystem()).join("; ");
  return failure("E_NO_ADAPTER", `Cannot open a WebGPU device: ${found}, wanted ${wanted}`, {
    fix: `${advice}; or run with --device reference`,
  });
}
