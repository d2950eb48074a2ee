/** Where an npm package lies on this machine. */
export interface InstalledPackage {
  readonly folder: string;
  readonly version: string;
}

/** The installed package of that name, seen from here; undefined when it is missing. Node and Deno only. */
export function installedPackage(name: string): InstalledPackage | undefined {
  const { createRequire } = process.getBuiltinModule("node:module");
  const { existsSync, readFileSync } = process.getBuiltinModule("node:fs");
  const { dirname, join } = process.getBuiltinModule("node:path");
  try {
    // A package may hide its package.json from require, so walk up from its entry.
    const entry = createRequire(import.meta.url).resolve(name);
    for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
      const manifest = join(folder, "package.json");
      if (!existsSync(manifest)) continue;
      const found = JSON.parse(readFileSync(manifest, "utf8"));
      if (found.name === name) return { folder, version: found.version };
    }
  } catch {
    // Not installed, or not readable: both mean that it can't be used.
  }
  return undefined;
}
