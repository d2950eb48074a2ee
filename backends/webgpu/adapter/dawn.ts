// The one door of the npm package `webgpu` (Dawn). Loaded at run time, only where there is no navigator.gpu; it fetches
// node: modules and the package instead of importing them, so that browser bundles may contain this file unharmed.
import { makeOnce } from "../../host/cacheFolder.ts";
import type { Candidate } from "./candidate.ts";
import { MATRICES } from "./limits.ts";
import { installedPackage } from "./packages.ts";
import { DRIVER_NAME, hasSoftwareDriver, softwareDriver } from "./softwareDriver.ts";
import { isSoftware } from "./traits.ts";

const PACKAGE = "webgpu";

/** What the package exports, as far as we use it. */
interface Dawn {
  create(flags: string[]): GPU;
}

/**
 * Every instance ever made, never let go: Dawn crashes the process when one is collected while its device is in use or
 * a map is pending. One a set of flags also keeps Dawn's warnings about an adapter to one.
 */
const instances = new Map<string, GPU>();

/**
 * The adapters that Dawn reaches: the system's best, the system's others, then the driver that npm brings.
 * @param matrices whether to have Dawn offer subgroup matrices; undefined: on those where they are likely to be of use
 */
export async function* dawnCandidates(matrices?: boolean): AsyncGenerator<Candidate> {
  const request = (...flags: string[]) => requestFromSystem(matrices, ...flags);
  yield { via: "dawn", origin: "system", request: () => request() };
  for (const name of await systemNames())
    yield { via: "dawn", origin: "system", name, request: () => request(`adapter=${name}`) };
  if (hasSoftwareDriver()) yield { via: "dawn", origin: "package", name: DRIVER_NAME, request: requestFromPackage };
}

const best: GPURequestAdapterOptions = { powerPreference: "high-performance" };

async function requestFromSystem(matrices: boolean | undefined, ...flags: string[]): Promise<GPUAdapter | null> {
  const adapter = await (await systemInstance(...flags)).requestAdapter(best);
  if (!adapter || !(matrices ?? mayHaveMatrices(adapter.info))) return adapter;
  const same = await (await systemInstance(...flags, UNFINISHED)).requestAdapter(best);
  const offers = same?.features.has(MATRICES) && same.info.device === adapter.info.device;
  return offers ? same : adapter;
}

/**
 * Has Dawn offer what is not finished, subgroup matrices among it. It is a matter of a whole instance, so only adapters
 * that may have them are asked for through one that has it, and others stay as they are; of all that it lets in, a device
 * only gets what it is requested with.
 */
const UNFINISHED = "enable-dawn-features=allow_unsafe_apis";

/** GPUs, except on Windows: Dawn's own tests leave out drivers there that crash over them, the process with them. */
const mayHaveMatrices = (info: GPUAdapterInfo): boolean => !isSoftware(info) && process.platform !== "win32";

/** Dawn rounds timestamps to 100 µs against spying web pages; a profiler wants them as they are. */
const flags = ["disable-dawn-features=timestamp_quantization"];

async function systemInstance(...more: string[]): Promise<GPU> {
  const found = installedPackage(PACKAGE);
  if (!found) throw new Error(`the npm package "${PACKAGE}" is not installed`);
  return instanceOf(found.folder, [...flags, ...more]);
}

async function instanceOf(folder: string, flags: string[]): Promise<GPU> {
  const key = [folder, ...flags].join("\n");
  const known = instances.get(key);
  if (known) return known;
  const dawn = await load(folder);
  // A concurrent call may have been faster while the module loaded.
  const instance = instances.get(key) ?? dawn.create(flags);
  instances.set(key, instance);
  return instance;
}

function load(folder: string): Promise<Dawn> {
  const { pathToFileURL } = process.getBuiltinModule("node:url");
  const { join } = process.getBuiltinModule("node:path");
  return import(pathToFileURL(join(folder, "index.js")).href);
}

/** Names of all the system's adapters. Dawn has no call for it, but lists them when asked for one that is not there. */
async function systemNames(): Promise<string[]> {
  try {
    const instance = await systemInstance("adapter=onestep wants the list");
    await instance.requestAdapter();
    return [];
  } catch (error) {
    return adapterNames(String((error as Error)?.message ?? error));
  }
}

/** Reads the names from Dawn's complaint: lines like ` * backend: 'vulkan', name: 'llvmpipe (LLVM 15, 256 bits)'`. */
export function adapterNames(message: string): string[] {
  const found = [...message.matchAll(/backend: '(\w+)', name: '(.*)'$/gm)];
  return [...new Set(found.filter(([, backend]) => backend !== "null").map(([, , name]) => name))];
}

/**
 * Dawn with the driver from npm. Dawn looks for the Vulkan loader in its own folder before it asks the system, and
 * nothing set from inside a running process changes the system's answer; so it gets a copy of itself with the loader
 * beside it. The copy leaves node_modules as it is.
 */
async function requestFromPackage(): Promise<GPUAdapter | null> {
  const driver = await softwareDriver();
  const original = installedPackage(PACKAGE);
  if (!driver || !original) throw new Error(`the npm package "${PACKAGE}" is not installed`);
  const folder = await makeOnce(`${driver.folder}-dawn-${original.version}`, (draft) =>
    copyDawn(original.folder, draft, driver.loader),
  );
  const instance = await instanceOf(folder, [...flags, `adapter=${DRIVER_NAME}`]);
  // The loader reads the variable inside this call. Put back at once, it changes neither the drivers of other
  // instances nor those of child processes.
  const before = process.env[DRIVERS];
  process.env[DRIVERS] = driver.manifest;
  try {
    return instance.requestAdapter(best);
  } finally {
    if (before === undefined) delete process.env[DRIVERS];
    else process.env[DRIVERS] = before;
  }
}

/** Names the drivers that a Vulkan loader uses, in place of the system's. */
const DRIVERS = "VK_DRIVER_FILES";

async function copyDawn(original: string, draft: string, loader: string): Promise<void> {
  const { copyFile, mkdir } = process.getBuiltinModule("node:fs").promises;
  const { basename, join } = process.getBuiltinModule("node:path");
  const binaries = join("dist", `${process.platform}-${process.arch}`);
  await mkdir(join(draft, binaries), { recursive: true });
  const dawn = join(binaries, "dawn.node");
  for (const file of ["package.json", "index.js", dawn]) await copyFile(join(original, file), join(draft, file));
  await copyFile(loader, join(draft, binaries, basename(loader)));
}
