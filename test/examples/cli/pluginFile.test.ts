import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as onestep from "../../../core/mod.ts";
import type { AnyPlugin } from "../../../core/plugin/mod.ts";
import * as testing from "../../../core/testing/mod.ts";
import { errorText, exitStatus } from "../../../examples/cli/exitStatus.ts";
import { loadPlugins } from "../../../examples/cli/pluginFile.ts";
import { loadRegistry, unusedLines } from "../../../examples/cli/registry.ts";
import { config as preset } from "../../../examples/gaussians/methods/dmd2.ts";
import * as plugins from "../../../plugins/mod.ts";
import * as observers from "../../../plugins/observers/mod.ts";
import { scratch } from "./program.ts";

const test = suite("examples/cli plugin files");
const { path, remove } = scratch();
test.after(remove);

/** Loads a plugin file whose options are described by `words`, an expression. */
async function wordsFrom(imports: string, words: string): Promise<string> {
  const file = path(`${Math.random()}.ts`);
  writeFileSync(
    file,
    `${imports}
    import { definePlugin, METRICS } from "onestep";
    export default definePlugin({
      name: "own", kind: "metric", token: METRICS, about: ${words}, options: {}, create: () => ({}),
    });`,
  );
  const [{ definition }] = await loadPlugins(file);
  return definition.about;
}

test("a plugin file gets the very modules that are running", async () => {
  const running = {
    onestep,
    "onestep/plugins": plugins,
    "onestep/observers": observers,
    "onestep/testing": testing,
  };
  for (const [name, module] of Object.entries(running)) {
    const about = await wordsFrom(`import * as it from "${name}";`, "Object.keys(it).join()");
    assert.equal(about.split(",").sort(), Object.keys(module).sort(), name);
  }
  const { gaussianModes } = plugins;
  Object.assign(globalThis, { [Symbol.for("test/gaussianModes")]: gaussianModes });
  const same = await wordsFrom(
    'import { gaussianModes } from "onestep/plugins";',
    'String(gaussianModes === globalThis[Symbol.for("test/gaussianModes")])',
  );
  assert.is(same, "true");
});

test("a plugin that a run does not use is named, with what would take it in", async () => {
  const kinds = { loss: "losses.own.use=own", sampler: "sampler.use=own", optimizer: "optimizers.ROLE.use=own" };
  for (const [kind, setting] of Object.entries(kinds)) {
    const file = path(`${kind}.ts`);
    writeFileSync(
      file,
      `import { definePlugin, text } from "onestep";
      const options = { role: text({ default: "", about: "whose" }) };
      export default definePlugin({ name: "own", kind: "${kind}", about: "a test", options, create: () => ({}) });`,
    );
    const registry = await loadRegistry([file]);
    const lines = (over: unknown) =>
      unusedLines(registry, onestep.resolveConfig(onestep.mergeConfig(preset, over), registry));
    assert.equal(lines({}), [`warning: the ${kind} "own" is not used by this run; use it with --set ${setting}`]);
    const [section, name] = setting.replace("ROLE", "generator").split(/[.=]/);
    assert.equal(lines({ [section]: name === "use" ? { use: "own" } : { [name]: { use: "own" } } }), []);
  }
});

test("another of our names is refused, with those there are", async () => {
  const refused = wordsFrom('import "onestep/nowhere";', '"x"');
  await refused.then(
    () => assert.unreachable(),
    ({ code, message }) => {
      assert.is(code, "E_PLUGIN_FILE");
      assert.match(message, /"onestep\/nowhere" is not one of onestep, .*onestep\/testing/);
    },
  );
});

test("a name that we do not export is refused with the nearest one, and a token need not be named", async () => {
  const lines = await wordsFrom('import { SAMPLERS } from "onestep";', "String(SAMPLERS)").then(
    () => assert.unreachable() as never,
    (error) => errorText(error).split("\n"),
  );
  assert.match(lines[0], 'No matching export in "onestep" for import "SAMPLERS", did you mean "SAMPLER"?');
  assert.is(lines[1], "fix: correct the file at that place, or leave `token` out: it follows from `kind`");
});

/** Loads a plugin file of these sources; a failing call of what it made gives the lines that a user sees. */
async function textOf(sources: Record<string, string>, call: (plugin: AnyPlugin) => unknown): Promise<string[]> {
  for (const [name, source] of Object.entries(sources)) writeFileSync(path(name), source);
  const [plugin] = await loadPlugins(path(Object.keys(sources)[0]));
  try {
    await call(plugin);
  } catch (error) {
    return errorText(error).split("\n");
  }
  throw new Error("nothing was thrown");
}

const source = (create: string, imports = "") => `import { definePlugin, LOSSES } from "onestep";
${imports}
interface Erased {
  readonly nothing: true;
}
export default definePlugin({
  name: "own", kind: "loss", token: LOSSES, about: "of a test", options: {},
  create: ${create},
});
`;
const install = (plugin: AnyPlugin) => {
  const container = new onestep.Container();
  plugin.configure().install(container);
  return container.all(onestep.LOSSES);
};

test("a throw in a plugin shows the user's file, its line and the plugin, and nobody is told to report it", async () => {
  const lines = await textOf({ "throws.ts": source('() => { throw new TypeError("no such thing"); }') }, install);
  assert.is(lines[0], 'error E_PLUGIN: Cannot use loss "own": its create threw TypeError: no such thing');
  assert.is(lines[1], `  at ${path("throws.ts")}, line 8, column 25 (loss "own")`);
  assert.equal(lines.slice(2, -1), [
    '  7 |   name: "own", kind: "loss", token: LOSSES, about: "of a test", options: {},',
    '  8 |   create: () => { throw new TypeError("no such thing"); },',
    "    |                         ^",
    "  9 | });",
  ]);
  assert.is(lines.at(-1), "fix: correct the plugin at that place");
  assert.not.match(lines.join("\n"), /base64|report it/);
});

test("the place may be in a file that the plugin imports, and in what runs long after", async () => {
  const files = {
    "late.ts": source(
      '() => ({ name: "own", role: "generator", weight: 1, compute: late as never })',
      'import { late } from "./helper.ts";',
    ),
    "helper.ts": "type Unused = 1;\n\nexport async function late(): Promise<never> {\n  throw new Error('late');\n}\n",
  };
  const lines = await textOf(files, (plugin) => (install(plugin)[0] as unknown as { compute(): unknown }).compute());
  assert.is(lines[0], 'error E_PLUGIN: Cannot go on: loss "own" threw Error: late');
  assert.match(lines[1], /helper\.ts, line 4, column 9 \(loss "own"\)$/);
  assert.is(lines[3], "  4 |   throw new Error('late');");
  assert.is(exitStatus(new Error("of ours")), 1);
  assert.match(
    errorText(new Error("of ours")),
    /Error: of ours\n(.*\n)*fix: this is a fault of onestep; please report it/,
  );
});

test("import.meta of a plugin file, and of what it imports, is that of the source", async () => {
  const own = `${Math.random()}.ts`;
  writeFileSync(path("beside.ts"), "export const beside = import.meta.url;\n");
  writeFileSync(path("data.txt"), "words of a file beside it");
  writeFileSync(
    path(own),
    `import { readFileSync } from "node:fs";
    import { definePlugin, METRICS } from "onestep";
    import { beside } from "./beside.ts";
    const text = readFileSync(new URL("data.txt", import.meta.url), "utf8");
    export default definePlugin({
      name: "own", kind: "metric", token: METRICS, options: {}, create: () => ({}),
      about: [text, import.meta.url, import.meta.dirname, beside].join(),
    });`,
  );
  const [{ definition }] = await loadPlugins(path(own));
  const url = (name: string) => pathToFileURL(path(name)).href;
  const expected = ["words of a file beside it", url(own), dirname(path(own)), url("beside.ts")];
  assert.is(definition.about, expected.join());
});

test.run();
