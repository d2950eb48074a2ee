import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Registry } from "../../core/plugin/mod.ts";
import { checkPlugin } from "../../core/testing/mod.ts";
import { allPlugins } from "../../plugins/all.ts";

const test = suite("plugins/mod");

test("every plugin is well formed, and no two of a kind share a name", () => {
  for (const plugin of allPlugins) checkPlugin(plugin);
  const registry = new Registry().register(allPlugins);
  assert.is(registry.list().length, allPlugins.length);
});

test("every file that defines a plugin is in the list", () => {
  const files = readdirSync("plugins", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join("plugins", file), "utf8"));
  const defined = files.flatMap((text) =>
    [...text.matchAll(/= definePlugin\(\{\n\s*name: "([^"]+)",\n\s*kind: "([^"]+)"/g)].map(
      ([, name, kind]) => `${kind}/${name}`,
    ),
  );
  const listed = allPlugins.map(({ definition }) => `${definition.kind}/${definition.name}`);
  assert.equal(defined.sort(), [...listed].sort());
});

test.run();
