// Holds the README to the code. ONESTEP_UPDATE=1 writes the parts that are generated.
import { readFileSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CatalogueEntry, catalogue, type ErrorCode, failure } from "../../core/errors.ts";
import { exitStatus } from "../../examples/cli/exitStatus.ts";
import { presets } from "../../examples/cli/presets.ts";
import { allPlugins } from "../../plugins/all.ts";

const test = suite("README");
const readme = () => readFileSync("README.md", "utf8");

/** The README with the text between two marks made what it should be. */
function generated(name: string, start: RegExp, end: string, text: string): void {
  const now = readme();
  const from = now.search(start);
  assert.ok(from >= 0, `README has no place for ${name}`);
  const begin = now.indexOf("\n", from) + 1;
  const stop = now.indexOf(end, begin);
  if (process.env.ONESTEP_UPDATE)
    writeFileSync("README.md", now.slice(0, begin) + text + now.slice(stop));
  else
    assert.is(
      now.slice(begin, stop),
      text,
      `${name} is stale: ONESTEP_UPDATE=1 npm test -- readme`,
    );
}

test("the error table is the catalogue", () => {
  const rows = Object.entries<CatalogueEntry>(catalogue).map(([code, { fix }]) => {
    return `| \`${code}\` | ${exitStatus(failure(code as ErrorCode, ""))} | ${fix.replaceAll("|", "\\|")} |`;
  });
  const table = ["| code | exit | how to solve it |", "| --- | --: | --- |", ...rows, ""].join(
    "\n",
  );
  generated("the error table", /^<!-- errors:/m, "<!-- /errors -->", table);
});

test("the loss that it shows is the file", () => {
  const file = "examples/custom-loss/charbonnier.ts";
  const source = readFileSync(file, "utf8");
  generated(file, /^```ts\n/m, "```\n", source);
  const code = source.split("\n").filter((line) => line.trim() !== "");
  assert.ok(code.length <= 20, `${code.length} lines, promised are at most 20`);
});

test("it has the two commands of a newcomer's first hour", () => {
  for (const mark of ["first-run", "first-test"])
    assert.match(readme(), new RegExp(`^<!-- ${mark} -->\\n\`\`\`sh\\n`, "m"));
});

test("every dependency has its line, every script and file it names is there", () => {
  const { dependencies, devDependencies, scripts } = JSON.parse(
    readFileSync("package.json", "utf8"),
  );
  const named = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !/^@types\/|^@webgpu\/types$/.test(name),
  );
  for (const name of named)
    assert.ok(readme().includes(`\`${name}\``), `README does not explain ${name}`);
  for (const [, script] of readme().matchAll(/npm run ([\w:]+)/g))
    assert.ok(script in scripts, script);
  for (const [, file] of readme().matchAll(/\]\(([\w/.-]+)\)/g)) readFileSync(file);
});

test("plugins and presets that it names exist", () => {
  const names = new Set(allPlugins.map(({ definition }) => definition.name));
  for (const row of ["teachers", "networks", "samplers", "schedules", "data"]) {
    const [, cells] = readme().match(new RegExp(`^\\| ${row} \\| (.*) \\|$`, "m")) ?? [];
    for (const [, name] of cells.matchAll(/`([\w-]+)`/g)) assert.ok(names.has(name), name);
  }
  for (const [, name] of readme().matchAll(/onestep -- train ([\w-]+)/g))
    assert.ok(name in presets, name);
  const [, table] = readme().match(/^\| preset \|.*\n((?:\|.*\n)+)/m) ?? [];
  const listed = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell]) =>
    [...cell.matchAll(/`([\w-]+)`/g)].map(([, name]) => name),
  );
  const pretrained = Object.keys(presets).filter((name) => presets[name].config.start);
  assert.equal(listed.sort(), pretrained.sort());
});

test.run();
