// Packages of plugins by name, on the command line and in configs.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Container } from "../../../core/di/mod.ts";
import { LOSSES } from "../../../core/interfaces/mod.ts";
import { errorText } from "../../../examples/cli/exitStatus.ts";
import { loadPackage, loadPlugins } from "../../../examples/cli/pluginFile.ts";
import { isPackageName } from "../../../examples/cli/pluginPackage.ts";
import { loadRegistry, registryFor } from "../../../examples/cli/registry.ts";
import { rejected } from "../../helpers/thrown.ts";
import { scratch, start, tinyConfig } from "./program.ts";

const test = suite("examples/cli plugin packages");
const { path, remove } = scratch();
const home = process.cwd();
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

const loss = (name: string, create = '() => { throw new TypeError("nothing here"); }') =>
  `definePlugin({ name: "${name}", kind: "loss", about: "of a test", options: {}, create: ${create} })`;

/** Puts a package into the node_modules of a folder above the working directory. */
function install(name: string, source: string, manifest: object = {}): void {
  const folder = path(`node_modules/${name}`);
  mkdirSync(folder, { recursive: true });
  const exports = { ".": { import: "./main.js" } };
  writeFileSync(
    `${folder}/package.json`,
    JSON.stringify({ name, version: "1.2.0", type: "module", exports, ...manifest }),
  );
  writeFileSync(`${folder}/main.js`, `import { definePlugin } from "onestep";\n${source}`);
}

test.before(() => {
  mkdirSync(path("work"), { recursive: true });
  process.chdir(path("work"));
  install("one-loss", `export default ${loss("own")};`);
  install("@some/losses", `export default [${loss("first")}, ${loss("second")}];`);
  install("fits", `export default ${loss("fits")};`, { peerDependencies: { onestep: `^${version}` } });
  install("too-new", `export default ${loss("new")};`, { peerDependencies: { onestep: ">=99" } });
  install("throws", 'throw new Error("while loading");');
  install("no-plugin", "export default 7;");
  install("mixed", `export default [${loss("fine")}, 7];`);
  install("no-json", "export default 7;");
  writeFileSync(path("node_modules/no-json/package.json"), "{");
});
test.after(() => {
  process.chdir(home);
  remove();
});

const named = async (loading: ReturnType<typeof loadPlugins>) =>
  (await loading).map(({ definition }) => definition.name);

test("a package gives its plugin or its list of plugins, found from the working directory upwards", async () => {
  assert.equal(await named(loadPlugins("one-loss")), ["own"]);
  assert.equal(await named(loadPlugins("@some/losses")), ["first", "second"]);
  assert.equal(await named(loadPlugins("fits")), ["fits"]);
  const registry = await loadRegistry(["@some/losses"]);
  assert.ok(registry.has("loss", "first") && registry.has("loss", "second"));
});

test("a file comes before a package of its name, but not where a config names the package", async () => {
  writeFileSync(path("work/fits"), "no module at all {");
  assert.is((await rejected(loadPlugins("fits"))).code, "E_PLUGIN_FILE");
  assert.equal(await named(loadPackage("fits")), ["fits"]);
});

test("one line says what is wrong with a package, and the next what to do", async () => {
  const cases: [string, RegExp, RegExp][] = [
    [
      "too-new",
      new RegExp(`^Cannot use too-new 1\\.2\\.0: it needs onestep ">=99", this is ${version}$`),
      /^install a/,
    ],
    [
      "absent",
      /^Cannot use absent: there is no such file, and no package of this name from .* on$/,
      /^npm install absent/,
    ],
    ["throws", /^Cannot use throws: while loading$/, /^correct what the package does when it is imported$/],
    ["no-plugin", /^Cannot use no-plugin: its default export is of type number/, /^export a plugin made/],
    ["mixed", /^Cannot use mixed: number 2 in its default export is no plugin/, /^export a plugin made/],
    ["no-json", /^Cannot use no-json: .*package\.json is no JSON object/, /^install no-json anew$/],
    ["../x", /^Cannot use \.\.\/x: there is no such file$/, /^check the path/],
  ];
  for (const [name, message, fix] of cases) {
    const error = await rejected(loadPlugins(name));
    assert.is(error.code, "E_PLUGIN_FILE", name);
    assert.match(error.message, message);
    assert.match(error.fix, fix);
  }
  assert.not(isPackageName("../x") || isPackageName("./x.ts") || isPackageName("/x") || isPackageName("a/b/c"));
});

test("what a plugin of a package throws in a run is told with its name and its place", async () => {
  const [plugin] = await loadPlugins("one-loss");
  const container = new Container();
  plugin.configure().install(container);
  try {
    container.all(LOSSES);
    assert.unreachable();
  } catch (error) {
    const lines = errorText(error).split("\n");
    assert.is(lines[0], 'error E_PLUGIN: Cannot use loss "own": its create threw TypeError: nothing here');
    assert.match(lines[1], /^ {2}at .*node_modules\/one-loss\/main\.js, line 2, column \d+ \(loss "own"\)$/);
  }
});

test("a config names packages: they are loaded once, kept in the run's config, and in the way of no other", async () => {
  const config = { plugins: ["@some/losses", "@some/losses"] } as never;
  const registry = await registryFor(config, ["@some/losses"]);
  assert.ok(registry.has("loss", "second"));
  const error = await rejected(registryFor({ plugins: "@some/losses" } as never, []));
  assert.match(
    error.message,
    /^Cannot read the config: plugins is "@some\/losses", expected a list of names of packages$/,
  );
  assert.match((await rejected(registryFor({ plugins: ["./own.ts"] } as never, []))).message, /no such file$/);
});

test("train takes the packages of its config, and --resume those of the run's", async () => {
  const create = `() => ({ name: "third", role: "generator", weight: 0.1,
    compute: ({ generated }) => ops.mean(ops.square(generated.x)) })`;
  install("third-loss", `import { ops } from "onestep";\nexport default ${loss("third", create)};`);
  const config = JSON.parse(readFileSync(tinyConfig(path("work/tiny.json")), "utf8"));
  const plugins = ["third-loss"];
  const losses = { ...config.losses, third: {} };
  writeFileSync(path("work/tiny.json"), JSON.stringify({ ...config, plugins, losses }));
  const few = ["--device", "reference", "--quiet", "--out", "run"];
  process.chdir(home);
  const first = await (await start(["train", "tiny.json", ...few], {}, path("work"))).ended;
  assert.is(first.code, 0, first.stderr);
  assert.match(readFileSync(path("work/run/events.jsonl"), "utf8"), '"third":');
  assert.equal(JSON.parse(readFileSync(path("work/run/config.json"), "utf8")).plugins, plugins);
  const second = await (await start(["train", "--resume", "--steps", "13", ...few], {}, path("work"))).ended;
  assert.is(second.code, 0, second.stderr);
});

test.run();
