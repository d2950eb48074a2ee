import { type Limits, permitted, processLimits } from "./limits.ts";

/** What this machine is, as far as a program can ask. Browsers answer only a part. */
export interface SystemFacts extends Limits {
  /** `linux`, `darwin`, `win32`, or `browser`. */
  readonly platform: string;
  /** `x64`, `arm64`, …; empty in a browser. */
  readonly arch: string;
  /** `node`, `deno`, `bun` or `browser`, with its version where there is one. */
  readonly runtime: { readonly name: string; readonly version: string };
  /** The Linux distribution: `id` is os-release's ID, `family` is ID and ID_LIKE together. */
  readonly distribution?: Distribution;
  /** Vendors of the graphics cards that Linux lists, whether or not a driver serves them; empty elsewhere. */
  readonly cards: readonly string[];
}

/** What /etc/os-release says. */
export interface Distribution {
  readonly id: string;
  readonly version: string;
  readonly title: string;
  readonly family: readonly string[];
}

/**
 * Looks at the machine. Node's modules are fetched at run time (`getBuiltinModule`, in Node ≥ 20.16 and Deno), not
 * imported, so that a browser bundle may contain this file.
 */
export function describeSystem(): SystemFacts {
  const process = globalThis.process as NodeJS.Process | undefined;
  if (!process?.versions?.node) return describeBrowser();
  return {
    platform: process.platform,
    arch: process.arch,
    runtime: runtimeOf(process),
    distribution: process.platform === "linux" ? readDistribution(process) : undefined,
    ...processLimits(process),
    cards: process.platform === "linux" ? graphicsCards(process) : [],
  };
}

function describeBrowser(): SystemFacts {
  const { userAgent = "", hardwareConcurrency = 1 } = globalThis.navigator ?? {};
  const runtime = { name: "browser", version: userAgent };
  return { platform: "browser", arch: "", runtime, cores: hardwareConcurrency, cards: [] };
}

function runtimeOf(process: NodeJS.Process): SystemFacts["runtime"] {
  // Deno and Bun also answer as Node, for the programs that ask for it.
  for (const name of ["deno", "bun"]) if (process.versions[name]) return { name, version: process.versions[name] };
  return { name: "node", version: process.versions.node };
}

function readDistribution(process: NodeJS.Process): Distribution | undefined {
  const text = readText(process, "/etc/os-release");
  if (text === undefined) return undefined;
  const value = (key: string) => text.match(new RegExp(`^${key}="?([^"\\n]*)`, "m"))?.[1] ?? "";
  const id = value("ID");
  return {
    id,
    version: value("VERSION_ID"),
    title: value("PRETTY_NAME") || id,
    family: [id, ...value("ID_LIKE").split(" ")].filter(Boolean),
  };
}

/** PCI vendor numbers, as Linux writes them. */
const vendors: Record<string, string> = {
  "0x10de": "nvidia",
  "0x1002": "amd",
  "0x8086": "intel",
};

function graphicsCards(process: NodeJS.Process): string[] {
  const { existsSync, readdirSync } = process.getBuiltinModule("node:fs");
  // Containers and machines without graphics have no such folder.
  const names = permitted(() => readdirSync("/sys/class/drm")) ?? [];
  const found = names
    .filter((name) => /^card\d+$/.test(name))
    .map((name) => readText(process, `/sys/class/drm/${name}/device/vendor`)?.trim() ?? "")
    .flatMap((id) => vendors[id] ?? []);
  // NVIDIA's compute-only set-ups make no DRM device; WSL shows one device for all vendors.
  if (permitted(() => existsSync("/proc/driver/nvidia/version"))) found.push("nvidia");
  if (permitted(() => existsSync("/dev/dxg"))) found.push("wsl");
  return [...new Set(found)];
}

function readText(process: NodeJS.Process, path: string): string | undefined {
  return permitted(() => process.getBuiltinModule("node:fs").readFileSync(path, "utf8"));
}
