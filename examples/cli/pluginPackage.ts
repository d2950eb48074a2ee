/** Packages of plugins, which `--plugin NAME` and `plugins` of a config name. */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { failure } from "../../core/errors.ts";
import { parseJson } from "../../core/json/mod.ts";
import { isRecord } from "../../core/plugin/spec.ts";
import { statOf } from "./statOf.ts";
import { version } from "./version.ts";
import { fits } from "./versionRange.ts";

/** A package that is installed. */
export interface PluginPackage {
  readonly name: string;
  readonly folder: string;
}

/** Whether a text can be the name of an npm package. */
export const isPackageName = (text: string): boolean =>
  /^(@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/.test(text) && text.length <= 214;

/**
 * The package of a name in the `node_modules` of the working directory or of a folder above it; undefined where there is none.
 * @throws E_PLUGIN_FILE where its package.json says that it is for another onestep
 */
export function pluginPackage(name: string, from: string = process.cwd()): PluginPackage | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if (statOf(join(found, "package.json"))?.isFile()) {
      checkPeer(name, join(found, "package.json"));
      return { name, folder: found };
    }
    if (folder === dirname(folder)) return undefined;
  }
}

function checkPeer(name: string, file: string): void {
  const manifest = readManifest(name, file);
  const peers = isRecord(manifest.peerDependencies) ? manifest.peerDependencies : {};
  const { onestep: range } = peers;
  if (range === undefined) return;
  const here = version();
  if (typeof range === "string" && fits(here, range)) return;
  const own = typeof manifest.version === "string" ? `${name} ${manifest.version}` : name;
  throw failure("E_PLUGIN_FILE", `Cannot use ${own}: it needs onestep ${JSON.stringify(range)}, this is ${here}`, {
    fix: `install a version of ${name} for onestep ${here}, or an onestep that it is for`,
  });
}

function readManifest(name: string, file: string): Record<string, unknown> {
  try {
    const manifest = parseJson(readFileSync(file, "utf8"));
    if (isRecord(manifest)) return manifest;
  } catch {}
  throw failure("E_PLUGIN_FILE", `Cannot use ${name}: ${file} is no JSON object, it should be one`, {
    fix: `install ${name} anew`,
  });
}
