/** Where in the user's plugin files an error comes from: bundled code has places of its own, which a source map leads back. */
import { SourceMap } from "node:module";
import { relative, resolve, sep } from "node:path";

/** A plugin file that runs. */
export interface RunningFile {
  /** As the user gave it. */
  readonly shown: string;
  /** The bundle's name in stack traces. */
  readonly url: string;
  /** The bundle's source map, with the sources' text; their paths are relative to `folder`. */
  readonly map: ConstructorParameters<typeof SourceMap>[0] & { readonly sourcesContent: readonly string[] };
  readonly folder: string;
  /** Of a package of plugins: where it is. */
  readonly packageFolder?: string;
  /** Such as `loss "charbonnier"`, once it is known. */
  plugin?: string;
}

/** A place in a user's source. */
export interface PluginPlace {
  /** The file with line and column, and the plugin that it is of. */
  readonly text: string;
  /** Such as `loss "charbonnier"`. */
  readonly plugin?: string;
  /** The line with its neighbours, and a mark below it. */
  readonly frame: readonly string[];
}

const running: RunningFile[] = [];

/** Makes a name for the bundle of a plugin file, by which stack traces call it. */
export const bundleName = (): string => `onestep-plugin:${running.length}`;
export const remember = (file: RunningFile): void => void running.push(file);

/** The place in a plugin file from which an error, or what caused it, comes; undefined where no plugin took part. */
export function pluginPlace(error: unknown): PluginPlace | undefined {
  if (!(error instanceof Error)) return undefined;
  return pluginPlace(error.cause) ?? placeIn(error.stack ?? "");
}

function placeIn(stack: string): PluginPlace | undefined {
  for (const [, url, line, column] of stack.matchAll(/(onestep-plugin:\d+):(\d+):(\d+)/g)) {
    const file = running.find((each) => each.url === url);
    const found = file && sourceAt(file, Number(line), Number(column));
    if (found) return found;
  }
  return undefined;
}

function sourceAt(file: RunningFile, line: number, column: number): PluginPlace | undefined {
  const entry = new SourceMap(file.map).findEntry(line - 1, column - 1);
  // What esbuild adds itself has no place in a source.
  if (!("originalSource" in entry)) return undefined;
  const { originalSource, originalLine, originalColumn } = entry;
  const path = resolve(file.folder, originalSource);
  // What others have made, and the user's plugin uses, is not the plugin's line.
  const isOwn = file.packageFolder !== undefined && path.startsWith(file.packageFolder + sep);
  if (!isOwn && originalSource.includes("node_modules/")) return undefined;
  const text = file.map.sourcesContent[file.map.sources.indexOf(originalSource)] ?? "";
  const name = path === resolve(file.shown) ? file.shown : relative(process.cwd(), path);
  const of = file.plugin ? ` (${file.plugin})` : "";
  return {
    text: `${name}, line ${originalLine + 1}, column ${originalColumn + 1}${of}`,
    plugin: file.plugin,
    frame: frameOf(text.split(/\r?\n/), originalLine, originalColumn),
  };
}

/** Characters of a line that are shown. */
const WIDTH = 100;

/** The line and one neighbour on each side, numbered, with a mark below the column. */
function frameOf(lines: readonly string[], line: number, column: number): string[] {
  const first = Math.max(line - 1, 0);
  const shown = lines.slice(first, line + 2);
  const digits = String(first + shown.length).length;
  // A long line is shown around the column.
  const from = column < WIDTH ? 0 : column - WIDTH / 2;
  return shown.flatMap((text, i) => {
    const number = String(first + i + 1).padStart(digits);
    const row = `  ${number} | ${text.slice(from, from + WIDTH).replaceAll("\t", " ")}`.trimEnd();
    return first + i === line ? [row, `  ${" ".repeat(digits)} | ${" ".repeat(column - from)}^`] : [row];
  });
}
