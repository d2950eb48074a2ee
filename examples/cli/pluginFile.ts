/**
 * The one door of `esbuild`: turns a user's plugin file into a module that this program can import, in TypeScript or
 * JavaScript, on Node 20 as well, which can't read TypeScript.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Location, Message, Plugin } from "esbuild";
import { failure } from "../../core/errors.ts";
import * as onestep from "../../core/mod.ts";
import { type AnyPlugin, pluginOf } from "../../core/plugin/mod.ts";
import * as testing from "../../core/testing/mod.ts";
import * as plugins from "../../plugins/mod.ts";
import * as observers from "../../plugins/observers/mod.ts";

/** What a plugin file may import from us: the very modules that are running, not second copies from node_modules. */
const running: Record<string, object> = {
  onestep,
  "onestep/plugins": plugins,
  "onestep/observers": observers,
  "onestep/testing": testing,
};
const KEY = "onestep/running modules";

/** Loads the plugin that is a file's default export. @throws E_PLUGIN_FILE that names the place of the mistake */
export async function loadPluginFile(path: string): Promise<AnyPlugin> {
  const file = resolve(path);
  if (!existsSync(file))
    throw failure("E_PLUGIN_FILE", `Cannot use ${path}: there is no such file`, {
      fix: "check the path given with --plugin",
    });
  Object.assign(globalThis, { [Symbol.for(KEY)]: running });
  const code = await bundle(file, path);
  const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
  let module: unknown;
  try {
    module = await import(url);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw failure("E_PLUGIN_FILE", `Cannot use ${path}: ${reason}`, {
      cause,
      fix: "correct what the file does when it is imported",
    });
  }
  return pluginOf(module, path);
}

async function bundle(file: string, shown: string): Promise<string> {
  const { build, stop } = await import("esbuild");
  try {
    const { outputFiles } = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      logLevel: "silent",
      plugins: [runningModules],
    });
    return outputFiles[0].text;
  } catch (error) {
    const [first] = (error as { errors?: Message[] }).errors ?? [];
    if (!first) throw error;
    const { location, text } = first;
    const place = location ? placeOf(location, file, shown) : shown;
    throw failure("E_PLUGIN_FILE", `Cannot use ${place}: ${text.replace(`${KEY}:`, "")}`, {
      cause: error,
      fix: "correct the file at that place",
    });
  } finally {
    // Its helper process would keep ours alive.
    await stop();
  }
}

/** Where in which file; the user's own file under the name they gave it. */
function placeOf({ file, line, column }: Location, own: string, shown: string): string {
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
