import { cacheFolder, makeOnce } from "../../host/cacheFolder.ts";
import { installedPackage } from "./packages.ts";

/** The npm package that holds a Vulkan driver for CPUs, beside the browser it is made for. */
export const DRIVER_PACKAGE = "@sparticuz/chromium";

/** What the driver's device is called. */
export const DRIVER_NAME = "SwiftShader";

/** A software Vulkan driver, unpacked. */
export interface SoftwareDriver {
  readonly folder: string;
  /** Path of the Vulkan loader, for systems without one. */
  readonly loader: string;
  /** Path of the file that tells a loader about the driver. */
  readonly manifest: string;
}

const MANIFEST = "vk_swiftshader_icd.json";
const LOADER = "libvulkan.so.1";
const parts = new Set(["libvk_swiftshader.so", LOADER, MANIFEST]);

/** True where the package's driver can run and is installed: its binaries are for Linux on x64. */
export function hasSoftwareDriver(): boolean {
  if (process.platform !== "linux" || process.arch !== "x64") return false;
  return installedPackage(DRIVER_PACKAGE) !== undefined;
}

/** Unpacks the driver into the cache folder, once per machine; undefined where `hasSoftwareDriver` is false. */
export async function softwareDriver(): Promise<SoftwareDriver | undefined> {
  const source = hasSoftwareDriver() ? installedPackage(DRIVER_PACKAGE) : undefined;
  if (!source) return undefined;
  const { join } = process.getBuiltinModule("node:path");
  const target = join(cacheFolder(), `swiftshader-${source.version}`);
  const folder = await makeOnce(target, (draft) => unpack(source.folder, draft));
  return { folder, loader: join(folder, LOADER), manifest: join(folder, MANIFEST) };
}

async function unpack(packageFolder: string, folder: string): Promise<void> {
  const { promises: fs } = process.getBuiltinModule("node:fs");
  const { join } = process.getBuiltinModule("node:path");
  const { brotliDecompressSync } = process.getBuiltinModule("node:zlib");
  const archive = await fs.readFile(join(packageFolder, "bin", "swiftshader.tar.br"));
  const missing = new Set(parts);
  for (const { name, bytes } of tarFiles(brotliDecompressSync(archive)))
    if (missing.delete(name)) await fs.writeFile(join(folder, name), bytes, { mode: 0o755 });
  if (missing.size > 0) throw new Error(`${DRIVER_PACKAGE} does not hold ${[...missing].join(", ")}`);
}

/** The plain files of a tar archive (POSIX ustar): 512-byte headers, contents padded to 512 bytes. */
export function* tarFiles(archive: Uint8Array): Generator<{ name: string; bytes: Uint8Array }> {
  const field = (at: number, length: number) => {
    const text = new TextDecoder().decode(archive.subarray(at, at + length));
    return text.split("\0", 1)[0];
  };
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const size = Number.parseInt(field(at + 124, 12), 8);
    const start = at + 512;
    if (!(size >= 0 && start + size <= archive.length)) throw new Error("the archive is truncated");
    const kind = field(at + 156, 1);
    const name = field(at, 100).replace(/^\.\//, "");
    if (kind === "" || kind === "0") yield { name, bytes: archive.subarray(start, start + size) };
    at = start + Math.ceil(size / 512) * 512;
  }
}
