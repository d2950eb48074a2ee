/**
 * The one door of `esbuild`: turns a user's plugin file, or a package of plugins, into a module that this program can import, in
 * TypeScript or JavaScript, on Node 20 as well, which can't read TypeScript.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildOptions, Loader, Location, Message, Plugin } from "esbuild";
import { failure, OnestepError, suggestion } from "../../core/errors.ts";
import * as onestep from "../../core/mod.ts";
import { type AnyPlugin, pluginsOf } from "../../core/plugin/mod.ts";
import * as testing from "../../core/testing/mod.ts";
import * as plugins from "../../plugins/mod.ts";
import * as observers from "../../plugins/observers/mod.ts";
import { isPackageName, type PluginPackage, pluginPackage } from "./pluginPackage.ts";
import { bundleName, type RunningFile, remember } from "./pluginTrace.ts";
import { statOf } from "./statOf.ts";

/** What a plugin file may import from us: the very modules that are running, not second copies from node_modules. */
const running: Record<string, object> = {
  onestep,
  "onestep/plugins": plugins,
  "onestep/observers": observers,
  "onestep/testing": testing,
};
const KEY = "onestep/running modules";
/** A folder, or something that would be waited for without end. */
const NO_FILE = "it is no plain file, one should be there";

/** A plugin file or a package of plugins, to be bundled. */
interface Source {
  /** As the user gave it. */
  readonly shown: string;
  /** Where imports are resolved from. */
  readonly folder: string;
  readonly entry: Pick<BuildOptions, "entryPoints" | "stdin">;
  /** The user's own file. */
  readonly file?: string;
  readonly pack?: PluginPackage;
}

/**
 * Loads what `--plugin` names: the default export of a file, or of a package that is installed where the command is run; a plugin
 * or a list of plugins. @throws E_PLUGIN_FILE that names the place of the mistake
 */
export const loadPlugins = async (given: string): Promise<readonly AnyPlugin[]> => load(sourceOf(given));

/** The same for an installed package alone, whatever file has its name. */
export const loadPackage = async (name: string): Promise<readonly AnyPlugin[]> => load(packageOf(name) ?? absent(name));

async function load(source: Source): Promise<readonly AnyPlugin[]> {
  Object.assign(globalThis, { [Symbol.for(KEY)]: running });
  const { code, ...bundled } = await bundle(source);
  const { shown, folder, pack } = source;
  const loaded: RunningFile = { shown, folder, url: bundleName(), packageFolder: pack?.folder, ...bundled };
  remember(loaded);
  // Stack traces call the module by this name, not by the data that it is imported from.
  const named = `${code}\n//# sourceURL=${loaded.url}\n`;
  let module: unknown;
  try {
    module = await import(`data:text/javascript;base64,${Buffer.from(named).toString("base64")}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw failure("E_PLUGIN_FILE", `Cannot use ${shown}: ${reason}`, {
      cause,
      fix:
        cause instanceof OnestepError
          ? cause.fix
          : `correct what the ${pack ? "package" : "file"} does when it is imported`,
    });
  }
  const plugins = pluginsOf(module, shown);
  const [{ definition }] = plugins;
  loaded.plugin = plugins.length === 1 ? `${definition.kind} "${definition.name}"` : `a plugin of ${shown}`;
  return plugins;
}

/** A file of this name comes before a package of it. */
function sourceOf(given: string): Source {
  const file = resolve(given);
  const found = statOf(file);
  if (found?.isFile()) return { shown: given, folder: dirname(file), file, entry: { entryPoints: [file] } };
  return packageOf(given) ?? absent(given, found ? NO_FILE : undefined);
}

function packageOf(name: string): Source | undefined {
  const folder = process.cwd();
  const pack = isPackageName(name) ? pluginPackage(name) : undefined;
  if (!pack) return undefined;
  const contents = `import * as it from ${JSON.stringify(name)}; export default it.default;`;
  return { shown: name, folder, pack, entry: { stdin: { contents, resolveDir: folder, sourcefile: "package" } } };
}

/** @throws E_PLUGIN_FILE that says what is there instead, or where was looked */
function absent(given: string, why?: string): never {
  const isName = isPackageName(given) && why === undefined;
  const nothing = `there is no such file${isName ? `, and no package of this name from ${process.cwd()} on` : ""}`;
  throw failure("E_PLUGIN_FILE", `Cannot use ${given}: ${why ?? nothing}`, {
    fix: isName ? `npm install ${given}, or check the path` : "check the path given with --plugin",
  });
}

async function bundle(source: Source): Promise<{ code: string; map: RunningFile["map"] }> {
  const { shown, folder, entry, file } = source;
  const { build, stop } = await import("esbuild");
  try {
    const { outputFiles } = await build({
      ...entry,
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "external",
      // Written nowhere: places in the source map are relative to it.
      outfile: join(folder, "plugin.js"),
      logLevel: "silent",
      define: { "import.meta": META },
      plugins: [runningModules, importMeta],
    });
    const [map, code] = [".map", ".js"].map((end) => outputFiles!.find(({ path }) => path.endsWith(end))!.text);
    return { code, map: JSON.parse(map) };
  } catch (error) {
    const [first] = (error as { errors?: Message[] }).errors ?? [];
    if (!first) throw error;
    const { location, text } = first;
    const place = location ? placeOf(location, file, shown) : shown;
    const { hint, fix } = adviceFor(text);
    throw failure("E_PLUGIN_FILE", `Cannot use ${place}: ${text.replace(`${KEY}:`, "")}${hint}`, { cause: error, fix });
  } finally {
    // Its helper process would keep ours alive.
    await stop();
  }
}

/** The nearest name where one is imported that we do not have, and what to do about what the bundler says. */
function adviceFor(text: string): { hint: string; fix: string } {
  const [, from, name] = text.match(/No matching export in "[^"]*:(.+)" for import "(.+)"/) ?? [];
  const hint = from in running ? suggestion(name, Object.keys(running[from])) : "";
  const isToken = hint !== "" && /^[A-Z_]+$/.test(name);
  return {
    hint,
    fix: `correct the file at that place${isToken ? ", or leave `token` out: it follows from `kind`" : ""}`,
  };
}

/** Where in which file; the user's own file under the name they gave it. */
function placeOf({ file, line, column }: Location, own: string | undefined, shown: string): string {
  return `${resolve(file) === own ? shown : file}, line ${line}, column ${column + 1}`;
}

const runningModules: Plugin = {
  name: "running-modules",
  setup(context) {
    context.onResolve({ filter: /^onestep(\/|$)/ }, ({ path }) =>
      path in running
        ? { path, namespace: KEY }
        : { errors: [{ text: `"${path}" is not one of ${Object.keys(running).join(", ")}` }] },
    );
    context.onLoad({ filter: /.*/, namespace: KEY }, ({ path }) => {
      const names = Object.keys(running[path]).join(", ");
      const from = `globalThis[Symbol.for(${JSON.stringify(KEY)})][${JSON.stringify(path)}]`;
      return { contents: `export const { ${names} } = ${from};` };
    });
  },
};

/** What `import.meta` is called in a bundle: every source has one of its own, with its own URL. */
const META = "__onestepImportMeta";
const OF = "import.meta of ";

const importMeta: Plugin = {
  name: "import-meta",
  setup(context) {
    context.onLoad({ filter: /\.[cm]?[jt]sx?$/, namespace: "file" }, ({ path }) => {
      if (!statSync(path).isFile()) return { errors: [{ text: `${path}: ${NO_FILE}` }] };
      const text = readFileSync(path, "utf8");
      // Only modules have it; a word in a comment must not make a module of a script.
      if (!text.includes("import.meta") || !/^\s*(import|export)\b/m.test(text)) return undefined;
      const loader = extname(path).replace(/^\.[cm]?/, "") as Loader;
      // At the end, where it moves no line; imports come first wherever they stand.
      return { contents: `${text}\nimport ${META} from ${JSON.stringify(OF + path)};`, loader };
    });
    context.onResolve({ filter: new RegExp(`^${OF}`) }, ({ path }) => ({ path: path.slice(OF.length), namespace: OF }));
    context.onLoad({ filter: /.*/, namespace: OF }, ({ path }) => {
      const own = { url: pathToFileURL(path).href, filename: path, dirname: dirname(path) };
      return { contents: `export default ${JSON.stringify(own)};` };
    });
  },
};
