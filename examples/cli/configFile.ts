/** The one door of `yaml`: chosen because it tells line and column of a mistake, and reads JSON too. */
import { type Document, isNode, isScalar, LineCounter, parseDocument, visit } from "yaml";
import { failure, suggestion } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { isPlainData } from "../../core/json/parseJson.ts";
import { mergeConfig, readSetting, type Setting, settingOverlay } from "../../core/plugin/mod.ts";
import { modernised } from "../../core/train/config/version1.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { type Preset, presets } from "./presets.ts";

/** What a run is called, and its config before it is checked. */
export interface NamedConfig {
  readonly name: string;
  readonly config: RunConfig;
  /** Of a preset that fits itself to its data. */
  readonly fits?: Preset["fits"];
  readonly fit?: Preset["fit"];
  /** Of a preset: what its data usually are. */
  readonly usual?: Preset["shape"];
}

/** The config of a preset's name or of a file. @throws E_UNKNOWN_PRESET, E_CONFIG or E_FILE */
export async function findConfig(given: string, files: FileSystem): Promise<NamedConfig> {
  if (Object.hasOwn(presets, given)) {
    const { config, fits, fit, shape } = presets[given];
    return { name: given, config: await config(), fits, fit, usual: shape };
  }
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

/** Bytes of a config at most; a complete one takes a tenth of it. */
const LARGEST = 64 * 2 ** 10;

/** A config file, JSON or YAML, with the names of today. @throws E_CONFIG that names line and column, or E_FILE */
export async function readConfig(path: string, files: FileSystem): Promise<RunConfig> {
  const size = await files.size(path);
  if (size > LARGEST)
    throw failure("E_CONFIG", `Cannot read ${path}: it has ${size} bytes, a config has at most ${LARGEST}`);
  const text = new TextDecoder().decode(await files.read(path));
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false });
  const [error] = document.errors;
  const [at, why] = error ? [error.pos[0], error.message] : (keyFault(document) ?? []);
  if (why !== undefined) {
    const { line, col } = lineCounter.linePos(at ?? 0);
    const reason = error?.code === "RESOURCE_EXHAUSTION" || /call stack/.test(why) ? DEEP : why;
    throw failure("E_CONFIG", `Cannot read ${path}, line ${line}, column ${col}: ${reason}`);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (cause) {
    throw failure("E_CONFIG", `Cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw failure("E_CONFIG", `Cannot read ${path}: it holds no sections, expected dataset, network, …`);
  if (!isPlainData(value)) throw failure("E_CONFIG", `Cannot read ${path}: ${DEEP}`);
  // Before settings are laid over it, which may have today's names.
  return modernised(value) as RunConfig;
}

const DEEP = "its sections lie in each other without end";

/** Place and fault of the first key that is no text, or that a mapping has twice. The library's own search compares all keys with all others. */
function keyFault(document: Document): [place: number, why: string] | undefined {
  let found: [number, string] | undefined;
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) {
          found = [isNode(key) ? (key.range?.[0] ?? 0) : 0, "a list or a mapping is no name, a text should be there"];
          return visit.BREAK;
        }
        const name = String(key.value);
        if (seen.has(name)) {
          found = [key.range?.[0] ?? 0, `"${name}" is there twice, should be there once`];
          return visit.BREAK;
        }
        seen.add(name);
      }
      return undefined;
    },
  });
  return found;
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
