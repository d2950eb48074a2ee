/** The one door of `yaml`: chosen because it tells line and column of a mistake, and reads JSON too. */
import { LineCounter, parseDocument } from "yaml";
import { failure, suggestion } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { mergeConfig, readSetting, type Setting, settingOverlay } from "../../core/plugin/mod.ts";
import { modernised } from "../../core/train/config/version1.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { presets } from "./presets.ts";

/** What a run is called, and its config before it is checked. */
export interface NamedConfig {
  readonly name: string;
  readonly config: RunConfig;
}

/** The config of a preset's name or of a file. @throws E_UNKNOWN_PRESET, E_CONFIG or E_FILE */
export async function findConfig(given: string, files: FileSystem): Promise<NamedConfig> {
  if (Object.hasOwn(presets, given)) return { name: given, config: presets[given].config };
  const [, name] = given.match(/([^/\\]+)\.(?:json|ya?ml)$/i) ?? [];
  if (name === undefined) {
    const names = Object.keys(presets);
    throw failure(
      "E_UNKNOWN_PRESET",
      `Cannot train "${given}": it is neither a preset (${names.join(", ")}) nor a .json or .yaml file${suggestion(given, names)}`,
    );
  }
  return { name, config: await readConfig(given, files) };
}

/** A config file, JSON or YAML, with the names of today. @throws E_CONFIG that names line and column, or E_FILE */
export async function readConfig(path: string, files: FileSystem): Promise<RunConfig> {
  const text = new TextDecoder().decode(await files.read(path));
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw failure("E_CONFIG", `Cannot read ${path}, line ${line}, column ${col}: ${error.message}`);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    throw failure("E_CONFIG", `Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw failure("E_CONFIG", `Cannot read ${path}: it holds no sections, expected dataset, network, …`);
  // Before settings are laid over it, which may have today's names.
  return modernised(value) as RunConfig;
}

/** Lays `--set` and then the flags that are short for one over a config. */
export function layOver(
  config: RunConfig,
  settings: readonly string[],
  short: Readonly<Record<string, string | undefined>>,
): RunConfig {
  const given = Object.entries(short).filter((entry): entry is [string, string] => !!entry[1]);
  const all: Setting[] = [...settings.map(readSetting), ...given];
  return all.map(settingOverlay).reduce<RunConfig>(mergeConfig, config);
}
