// `onestep create-plugin`; what it writes is type-checked, tested and trained by test/package/installed.test.ts.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { run } from "../../../examples/cli/create/command.ts";
import { creatable } from "../../../examples/cli/create/kinds.ts";
import { pluginText } from "../../../examples/cli/create/pluginText.ts";
import { loadPlugins } from "../../../examples/cli/pluginFile.ts";
import { rejected } from "../../helpers/thrown.ts";
import { scratch } from "./program.ts";

const test = suite("examples/cli create-plugin");
const { path, remove } = scratch();
test.after(remove);

const create = (kind: string, name: string) =>
  run({ positionals: [kind, name], text: () => path("new/plugins"), all: () => [], on: () => false });

test("each kind loads under the name it was given", async () => {
  for (const kind of creatable) {
    const file = path(`${kind}.ts`);
    writeFileSync(file, pluginText(kind, `own-${kind}`));
    const [{ definition }] = await loadPlugins(file);
    assert.equal([definition.kind, definition.name], [kind, `own-${kind}`]);
  }
  assert.match(pluginText("metric", "sharpness"), "return { sharpness: sum");
  assert.match(pluginText("metric", "edge-power"), 'return { "edge-power": sum');
});

test("nothing is written over a file, and neither of the two where one is there", async () => {
  assert.is(await create("metric", "mine"), 0);
  const [source, check] = [path("new/plugins/mine.ts"), path("new/plugins/mine.test.ts")];
  writeFileSync(source, "changed");
  assert.match((await rejected(create("loss", "mine"))).message, /^Cannot write .*mine\.ts: it is there already$/);
  assert.is(readFileSync(source, "utf8"), "changed");
  writeFileSync(path("new/plugins/other.test.ts"), "a test of mine");
  assert.match((await rejected(create("loss", "other"))).message, /other\.test\.ts: it is there already$/);
  assert.not(existsSync(path("new/plugins/other.ts")));
  assert.ok(existsSync(check));
});

test("a kind, a name or a plugin that can't be is refused, with what could be", async () => {
  const refused: [string, string, RegExp][] = [
    ["los", "mine", /^Cannot create a plugin of kind "los": .*, did you mean "loss"\?$/],
    ["monitor", "mine", /it is not one of loss, sampler, dataset, metric, method$/],
    ["loss", "My Loss", /^Cannot create loss "My Loss": its name should be lower-case words joined by hyphens/],
    ["loss", "../mine", /lower-case words/],
    ["sampler", "heun", /^Cannot create sampler "heun": onestep has one of this name$/],
  ];
  for (const [kind, name, message] of refused) assert.match((await rejected(create(kind, name))).message, message);
});

test.run();
