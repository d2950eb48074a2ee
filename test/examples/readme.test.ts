// Holds the READMEs and guides to the code. ONESTEP_UPDATE=1 writes the parts that are generated.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CatalogueEntry, catalogue, type ErrorCode, failure } from "../../core/errors.ts";
import { type Kind, kinds, pluginKinds } from "../../core/plugin/mod.ts";
import { commands } from "../../examples/cli/commands.ts";
import { exitStatus } from "../../examples/cli/exitStatus.ts";
import { presets } from "../../examples/cli/presets.ts";
import { allPlugins } from "../../plugins/all.ts";

const test = suite("README");
const read = (file: string) => readFileSync(file, "utf8");
const readme = () => read("README.md");

/** README, and every page in the folders. */
const folders = ["core", "plugins", "backends", "wgsl", "examples", "test"];
const pages = [
  "README.md",
  ...folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  ),
];

/** A page with the text between two marks made what it should be. */
function generated(page: string, name: string, start: RegExp, end: string, text: string): void {
  const now = read(page);
  const from = now.search(start);
  assert.ok(from >= 0, `${page} has no place for ${name}`);
  const begin = from + (now.match(start) as RegExpMatchArray)[0].length;
  const stop = now.indexOf(end, begin);
  if (process.env.ONESTEP_UPDATE) writeFileSync(page, now.slice(0, begin) + text + now.slice(stop));
  else assert.is(now.slice(begin, stop), text, `${name} in ${page} is stale: ONESTEP_UPDATE=1 npm test -- readme`);
}

test("the error table is the catalogue", () => {
  const rows = Object.entries<CatalogueEntry>(catalogue).map(([code, { fix }]) => {
    return `| \`${code}\` | ${exitStatus(failure(code as ErrorCode, ""))} | ${fix.replaceAll("|", "\\|")} |`;
  });
  const table = ["| code | exit | how to solve it |", "| --- | --: | --- |", ...rows, ""].join("\n");
  const start = /^<!-- errors:.*\n/m;
  generated("examples/README.md", "the error table", start, "<!-- /errors -->", table);
});

test("the guide for trouble says of every code what it means, and what the error says to do", () => {
  const page = "examples/guides/troubleshooting.md";
  const meanings = new Map(rowsOf(read(page), "code").map(([code, meaning]) => [code.replaceAll("`", ""), meaning]));
  assert.equal([...meanings.keys()].sort(), Object.keys(catalogue).sort(), "a row for each code");
  const rows = Object.entries<CatalogueEntry>(catalogue).map(([code, { fix }]) => {
    const meaning = meanings.get(code)!;
    assert.ok(meaning.length > 30, `what ${code} means`);
    return `| \`${code}\` | ${meaning} | ${fix.replaceAll("|", "\\|")} |`;
  });
  const table = ["| code | what it means | what to do |", "| --- | --- | --- |", ...rows, ""].join("\n");
  generated(page, "the table of codes", /^<!-- codes:.*\n/m, "<!-- /codes -->", table);
});

/** Guides in the order in which they are listed; one that is not named here stands last. */
const order: Record<string, readonly string[]> = {
  "to begin with": ["first-run", "reading-curves", "own-data", "few-step", "troubleshooting"],
  data: ["pictures", "data", "dmd-pairs"],
  models: ["pretrained-teacher", "text-to-image", "text-to-image-distillation", "flows", "guidance"],
  "to judge and compare": ["evaluation", "ablations"],
  programs: ["plugins", "embedding", "browser", "several-machines"],
};

test("the list of guides has each", () => {
  const here = readdirSync("examples/guides").filter((name) => name.endsWith(".md") && name !== "README.md");
  const stems = here.map((name) => name.replace(/\.md$/, ""));
  const known = Object.values(order).flat();
  const others = stems.filter((stem) => !known.includes(stem));
  const groups = { ...order, ...(others.length > 0 && { others }) };
  const title = (stem: string) => read(`examples/guides/${stem}.md`).match(/^# (.*)$/m)![1];
  const rows = Object.entries(groups).map(([group, names]) => {
    const links = names.filter((stem) => stems.includes(stem)).map((stem) => `[${title(stem)}](${stem}.md)`);
    return `| ${group} | ${links.join(" · ")} |`;
  });
  const table = ["| | |", "| --- | --- |", ...rows, ""].join("\n");
  generated("examples/guides/README.md", "the list of guides", /^<!-- guides:.*\n/m, "<!-- /guides -->", table);
});

/** The papers that a file cites, in order. */
const papersOf = (source: string): string[] => [
  ...new Set([...source.matchAll(/arXiv:(\d{4}\.\d{5})/g)].map(([, number]) => number)),
];

test("the table of plugins has each with its file and its papers", () => {
  const sources = readdirSync("plugins", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ file: file.replaceAll("\\", "/"), source: read(join("plugins", file)) }));
  const rows = pluginKinds.flatMap((kind) => {
    const names = allPlugins.filter(({ definition }) => definition.kind === kind);
    return names
      .map(({ definition: { name } }) => {
        const definition = `name: "${name}",\n  kind: "${kind}",`;
        const found = sources.filter(({ source }) => source.includes(definition));
        assert.is(found.length, 1, `files that define the ${kind} ${name}`);
        const [{ file, source }] = found;
        const papers = papersOf(source).map((id) => `[${id}](https://arxiv.org/abs/${id})`);
        return `| ${kind} | \`${name}\` | [${file}](${file}) | ${papers.join(", ")} |`;
      })
      .sort();
  });
  const head = ["| kind | plugin | file | papers (arXiv) |", "| --- | --- | --- | --- |"];
  const table = [...head, ...rows, ""].join("\n");
  const start = /^<!-- plugins:.*\n/m;
  generated("plugins/README.md", "the table of plugins", start, "<!-- /plugins -->", table);
});

test("the plugins that plugins/README.md shows are the files, one of each kind that users write, and short", () => {
  const own = readdirSync("examples/custom-plugins").map((name) => `examples/custom-plugins/${name}`);
  const templates = ["examples/custom-loss/charbonnier.ts", ...own];
  for (const file of templates) {
    const source = read(file);
    const start = new RegExp(`^<!-- file: ${file.replaceAll(".", "\\.")} -->\n\`\`\`ts\n`, "m");
    generated("plugins/README.md", file, start, "```\n", source);
    const code = source.split("\n").filter((line) => line.trim() !== "");
    const most = file.includes("custom-loss") ? 20 : 24;
    assert.ok(code.length <= most, `${file}: ${code.length} lines, promised are at most ${most}`);
  }
  const kindsShown = templates.map((file) => read(file).match(/^ {2}kind: "(\w+)",$/m)?.[1]);
  assert.equal(kindsShown.sort(), ["dataset", "loss", "method", "metric", "monitor", "network", "sampler"]);
});

test("the table of kinds in plugins/README.md has each with the name that it is asked for by", () => {
  const listed = rowsOf(read("plugins/README.md"), "kind")
    .filter(([, token]) => /^`[A-Z_]+`$/.test(token))
    .map(([kind, token]) => [kind, token].map((cell) => cell.replaceAll("`", "")));
  const expected = pluginKinds.map((kind) => [kind, ((kinds[kind] as Kind).section ?? kind).toUpperCase()]);
  assert.equal(listed, expected);
});

test("README has the two commands of a newcomer's first hour, one line each, and is short", () => {
  for (const mark of ["first-run", "first-test"])
    assert.match(readme(), new RegExp(`^<!-- ${mark} -->\\n\`\`\`sh\\n.+\\n\`\`\`\\n`, "m"));
  assert.ok(readme().split("\n").length < 200, "it is under 200 lines");
});

test("every dependency has its line, every script, file and heading that a page names is there", () => {
  const { dependencies, devDependencies, scripts } = JSON.parse(read("package.json"));
  const named = Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !/^@types\/|^@webgpu\/types$/.test(name),
  );
  for (const name of named) assert.ok(read("core/README.md").includes(`\`${name}\``), `no page explains ${name}`);
  for (const page of pages) {
    const text = read(page);
    for (const [, script] of text.matchAll(/npm run ([\w:]+)/g)) assert.ok(script in scripts, script);
    for (const [link, file, anchor] of text.matchAll(/\]\(([\w/.-]*)(?:#([\w-]+))?\)/g)) {
      const target = file ? normalize(join(dirname(page), file)) : page;
      assert.ok(existsSync(target), `${page}: ${link}`);
      if (anchor) assert.ok(anchorsOf(read(target)).includes(anchor), `${page}: ${link}`);
    }
  }
});

/** The names under which a page's headings can be linked to. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );

test("plugins and presets that the pages name exist", () => {
  const names = new Set(allPlugins.map(({ definition }) => definition.name));
  for (const row of ["teachers", "networks", "samplers", "processes", "data"]) {
    const [, cells] = readme().match(new RegExp(`^\\| ${row} \\| (.*) \\|$`, "m")) ?? [];
    for (const [, name] of cells.matchAll(/`([\w-]+)`/g)) assert.ok(names.has(name), name);
  }
  for (const page of pages)
    for (const [, name] of read(page).matchAll(/onestep (?:-- )?train ([a-z][\w-]+)(?= |$)/gm))
      assert.ok(name in presets, `${page}: ${name}`);
  const listed = rowsOf(read("examples/README.md"), "preset").flatMap(([cell]) =>
    [...cell.matchAll(/`([\w-]+)`/g)].map(([, name]) => name),
  );
  const byName = Object.entries(presets).flatMap(([name, { method }]) => (method ? [] : [name]));
  assert.equal(listed.sort(), byName.sort());
});

test("the table of commands has every command", () => {
  const listed = rowsOf(read("examples/README.md"), "command").map(([cell]) => cell.match(/^`onestep ([\w-]+)/)?.[1]);
  assert.equal(
    listed,
    commands.map(({ name }) => name),
  );
});

/** The cells of all tables whose first column has that head. */
function rowsOf(text: string, head: string): string[][] {
  const tables = text.matchAll(new RegExp(`^\\| ${head} \\|.*\\n\\|.*\\n((?:\\|.*\\n)+)`, "gm"));
  const lines = [...tables].flatMap(([, rows]) => rows.trim().split("\n"));
  return lines.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The printed table under a mark `measured: name`, its columns by the words of its head. */
function measured(page: string, name: string): Record<string, string[]> {
  const mark = `<!-- measured: ${name} -->\n\`\`\`text\n`;
  const from = read(page).indexOf(mark);
  assert.ok(from >= 0, `${page} has the table ${name}`);
  const [, block] = read(page).slice(from).split("```");
  const [, ...rows] = block.trim().split("\n").slice(1);
  return Object.fromEntries(rows.map((row) => row.split(/ {2,}/)).map(([who, ...rest]) => [who, rest]));
}

test("each figure of README is that of the page behind it", async () => {
  const text = readme().replace(/\s+/g, " ");
  const has = (figure: string) => assert.ok(text.includes(figure), figure);
  const oneCall = (method: string) =>
    read("examples/README.md")
      .split(`three seeds, ${method} -->`)[1]
      .match(/^ +0 +generator +1 +(\S+)/m)![1];
  has(`DMD2 reaches an \`in2\` of ${oneCall("dmd2")},`);
  has(`consistency distillation ${oneCall("consistency")},`);
  const inArena = (row: string) =>
    read("examples/arena/README.md").match(new RegExp(`^\\| ${row} \\|[^|]+\\|[^|]+\\| (\\S+)`, "m"))![1];
  has(`TRACT ${inArena("TRACT")}, SiDA ${inArena("SiDA")} (seed 0)`);
  const { teacher, generator } = measured("examples/README.md", "mnist, wasm");
  const percent = (share: string) => `${(100 * Number(share)).toFixed(1)} %`;
  has(`${percent(generator[2])} of which`);
  has(`the teacher's ${teacher[0]} calls give ${percent(teacher[2])}`);

  const cases = rowsOf(read("test/conformance/README.md"), "group");
  const count = cases.reduce((sum, [, each]) => sum + Number(each), 0);
  const worst = Math.max(...cases.flatMap(([, , ...errors]) => errors.map(Number)));
  has(`${count} of ${count} cases`);
  has(`at ${worst} of their tolerance`);

  // The last columns of the first table: how many times faster than jax-js, TensorFlow.js and PyTorch.
  const step = (engine: string) =>
    read("test/bench/RESULTS.md")
      .match(new RegExp(`^unet step +${engine} .*$`, "m"))![0]
      .split(/ +/)
      .slice(-3)
      .map(Number);
  const [jax, tensorflow] = step("onestep webgpu");
  has(`1/${Math.round(jax)} of jax-js's and 1/${Math.round(tensorflow)} of TensorFlow.js's`);
  const partOfPyTorch = (engine: string) => (1 / step(engine)[2]).toFixed(1);
  has(`${partOfPyTorch("onestep wasm")} of PyTorch 1.13's time on the same two cores,`);
  has(`${partOfPyTorch("onestep@24 wasm")} on Node 24`);

  const configs = await Promise.all(Object.values(presets).map(({ config }) => config()));
  has(`${configs.filter(({ start }) => start).length} presets`);
  has(`${commands.length} commands`);
  has(`a whole run in ${read("examples/embedding/main.ts").trim().split("\n").length} lines`);
});

test.run();
