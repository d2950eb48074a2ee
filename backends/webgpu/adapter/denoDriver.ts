// Deno settles which Vulkan drivers it has at the first adapter request of the process: all is decided before that.
import { DRIVER_NAME, hasSoftwareDriver, softwareDriver } from "./softwareDriver.ts";

/** The part of Deno used here; its own types would clash with Node's. */
declare const Deno: {
  dlopen(path: string, symbols: Record<string, { parameters: string[]; result: string }>): unknown;
  permissions: { querySync(wish: { name: string }): { state: string } };
};

const LOADER = "libvulkan.so.1";
/** Where Linux distributions put the manifests of Vulkan drivers. */
const folders = ["/usr/share", "/usr/local/share", "/etc"].map((base) => `${base}/vulkan/icd.d`);
const variables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"];

let prepared: Promise<boolean> | undefined;

/**
 * Gives Deno's WebGPU the driver from npm, when the system has none or `name` asks for it; true when it did. Without
 * Deno's permissions for it, nothing happens and nobody is asked.
 */
export function prepareDenoDriver(name = ""): Promise<boolean> {
  prepared ??= prepare(name);
  return prepared;
}

async function prepare(name: string): Promise<boolean> {
  const allowed = (["ffi", "read", "write", "env", "sys"] as const).every(
    (wish) => Deno.permissions.querySync({ name: wish }).state === "granted",
  );
  if (!allowed || !hasSoftwareDriver()) return false;
  const wanted = name !== "" && DRIVER_NAME.toLowerCase().includes(name.toLowerCase());
  const hasLoader = open(LOADER);
  if (!wanted && hasLoader && hasSystemDriver()) return false;
  const driver = await softwareDriver();
  if (!driver) return false;
  process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = driver.manifest;
  // Once it is in the process, Deno's own search by name finds it.
  return hasLoader || open(driver.loader);
}

function open(library: string): boolean {
  try {
    Deno.dlopen(library, { vkGetInstanceProcAddr: { parameters: [], result: "void" } });
    return true;
  } catch {
    return false;
  }
}

function hasSystemDriver(): boolean {
  const { existsSync, readdirSync } = process.getBuiltinModule("node:fs");
  const { homedir } = process.getBuiltinModule("node:os");
  if (variables.some((name) => process.env[name])) return true;
  return [...folders, `${homedir()}/.local/share/vulkan/icd.d`].some(
    (folder) => existsSync(folder) && readdirSync(folder).some((file) => file.endsWith(".json")),
  );
}
