// The table of lines in plugins/methods/README.md. ONESTEP_UPDATE=1 writes it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Recipe } from "../../core/train/mod.ts";
import * as plugins from "../../plugins/mod.ts";

const test = suite("README (lines of methods)");
const PAGE = "plugins/methods/README.md";
const read = (file: string) => readFileSync(file, "utf8");

/** Lines that compute or say something: no imports, comments and blank ones. */
const linesOf = (source: string): number =>
  source
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/^import [^;]*;$/gm, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("//")).length;

/** Files of plugins by kind and name. */
function fileOfPlugin(): ReadonlyMap<string, string> {
  const sources = readdirSync("plugins", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const found = sources.flatMap((file) => {
    const [, name, kind] = read(join("plugins", file)).match(/name: "([\w-]+)",\n {2}kind: "(\w+)",/) ?? [];
    return name ? [[`${kind} ${name}`, file.replaceAll("\\", "/")] as const] : [];
  });
  return new Map(found);
}

/** What a recipe names that methods may have for themselves. */
const namedBy = (recipe: Recipe): string[] => [
  ...(["method", "generator", "critic"] as const).flatMap((kind) => {
    const { use } = (recipe[kind] ?? {}) as { use?: string };
    return use ? [`${kind} ${use}`] : [];
  }),
  ...Object.entries(recipe.losses ?? {}).flatMap(([name, options]) => (options ? [`loss ${name}`] : [])),
  ...Object.values(recipe.averages ?? {}).map((each) => `average ${(each as { use: string }).use}`),
];

test("the table of lines has every file of methods, and half of them are under 120", () => {
  const files = readdirSync("plugins/methods").filter((file) => file.endsWith(".ts"));
  const known = fileOfPlugin();
  const uses = files.map((file) => {
    const source = read(join("plugins/methods", file));
    const recipes = [...source.matchAll(/^export const (\w+): Recipe/gm)].map(([, name]) => name);
    const named = recipes.flatMap((name) => namedBy((plugins as unknown as Record<string, Recipe>)[name]));
    return { file, source, named: new Set(named) };
  });
  const rows = uses.map(({ file, source, named }) => {
    const own = [...named].flatMap((plugin) => {
      const where = known.get(plugin);
      const alone = uses.every((other) => other.file === file || !other.named.has(plugin));
      return where && where !== `methods/${file}` && (alone || where.endsWith(`/${file}`)) ? [where] : [];
    });
    const lines = [source, ...own.map((each) => read(join("plugins", each)))].reduce(
      (sum, each) => sum + linesOf(each),
      0,
    );
    return { file, own, lines };
  });
  const link = (file: string) => `[${file.split("/").at(-1)}](${file})`;
  const table = [
    "| file | plugins of its own | lines, about |",
    "| --- | --- | --: |",
    ...rows.map(({ file, own, lines }) => {
      const links = own.map((each) => link(`../${each}`)).join(", ");
      // To the nearest ten, or every change of a method would be one of this page.
      return `| ${link(file)} | ${links} | ${Math.max(10, 10 * Math.round(lines / 10))} |`;
    }),
    "",
  ].join("\n");
  const page = read(PAGE);
  const [, before, now, after] = page.match(/^([\s\S]*<!-- lines:.*\n)([\s\S]*)(<!-- \/lines -->[\s\S]*)$/) ?? [];
  assert.ok(before, `${PAGE} has no place for the table of lines`);
  if (process.env.ONESTEP_UPDATE) writeFileSync(PAGE, before + table + after);
  else assert.is(now, table, `the table of lines in ${PAGE} is stale: ONESTEP_UPDATE=1 npm test -- methodLines`);
  const sorted = rows.map(({ lines }) => lines).sort((a, b) => a - b);
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  assert.ok(median < 120, `the median is ${median}`);
});

test.run();
