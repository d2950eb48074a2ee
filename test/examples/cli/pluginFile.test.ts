import { writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as onestep from "../../../core/mod.ts";
import * as testing from "../../../core/testing/mod.ts";
import { loadPluginFile } from "../../../examples/cli/pluginFile.ts";
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
  const { definition } = await loadPluginFile(file);
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

test.run();
