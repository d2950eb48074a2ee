// Every command that a README or a guide shows: its program is there, its flags are read, its settings fit the preset.
// test/examples/guides.test.ts runs those that need no file of the user's.
import { existsSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveConfig } from "../../core/train/mod.ts";
import { commands } from "../../examples/cli/commands.ts";
import { findConfig, layOver } from "../../examples/cli/configFile.ts";
import { parseFlags } from "../../examples/cli/parseFlags.ts";
import { presets } from "../../examples/cli/presets.ts";
import { loadRegistry } from "../../examples/cli/registry.ts";
import { memoryFiles } from "../helpers/memoryFiles.ts";
import { allPages, commandsIn, commandsOf, type PageCommand, wordsOfOnestep } from "./pageCommands.ts";

const test = suite("commands of the pages");
const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
const tasks = new Set(
  readFileSync("build.mjs", "utf8")
    .match(/^const tasks = \{ (.*) \};$/m)![1]
    .split(/\W+/),
);

const shown = allPages().flatMap(commandsOf);
const whole = shown.filter(({ isWhole }) => isWhole);
const registry = await loadRegistry();

/** Programs of others that a page may name, and how their words begin. */
const others = [
  /^(git|cd|mkdir|cp|open|deno|docker|tensorboard|pip|python3?|apt|sudo|curl|tar|mpirun|sbatch|kubectl|kill|sh|node|npx) /,
  /^npm (ci|cit|start|test|i|install|pack|pkg|run [\w:]+)( |$)/,
];

/** @throws where the words are none that the program takes */
async function check({ words, isWhole }: PageCommand): Promise<void> {
  const own = wordsOfOnestep(words);
  if (own) return checkOnestep(own, isWhole);
  const text = `${words.join(" ")} `;
  const [, script] = text.match(/^npm run (?:-s )?([\w:]+) /) ?? [];
  if (script !== undefined) assert.ok(script in scripts, `there is no script ${script}`);
  const [, example] = text.match(/^npm run example -- (\S+) /) ?? [];
  if (example !== undefined) assert.ok(existsSync(`examples/${example}/main.ts`), `there is no example ${example}`);
  const [, task, name] = text.match(/^node build\.mjs ([\w-]+)(?: (\S+))? /) ?? [];
  if (task !== undefined) assert.ok(tasks.has(task), `build.mjs has no task ${task}`);
  if (task === "soak") assert.ok(existsSync(`test/soak/${name}.ts`), `there is no soak ${name}`);
  if (script === "conformance") await checkOnestep(["conformance", ...words.slice(words.indexOf("--") + 1)], isWhole);
  assert.ok(
    others.some((start) => start.test(text)),
    "it is a program that pages may name",
  );
}

async function checkOnestep([name, ...words]: readonly string[], isWhole: boolean): Promise<void> {
  if (name === undefined || ["help", "--help", "--version"].includes(name) || words.includes("--help")) return;
  const command = commands.find((each) => each.name === name);
  // A word of a sentence, such as "a file that `onestep COMMAND` wrote".
  if (!command && !isWhole && /^[A-Z]+$/.test(name)) return;
  assert.ok(command, `there is no command ${name}`);
  // Within a sentence a command may be named without what it is given.
  const arity: [number, number] = isWhole ? [...command.arity] : [0, command.arity[1]];
  const last = words.at(-1)?.match(/^--([\w-]+)$/)?.[1] ?? "";
  const isOpen = !isWhole && command.flags[last]?.type === "string" && !command.flags[last].optional;
  const given = parseFlags({ ...command, arity }, isOpen ? [...words, "VALUE"] : words);
  const [preset] = given.positionals;
  if (!["train", "plan", "bench"].includes(name) || preset === undefined || !Object.hasOwn(presets, preset)) return;
  const { config } = await findConfig(preset, memoryFiles());
  // Options of a plugin of the user's, and those of a preset that fits itself to its data, are seen when it runs.
  if (given.all("plugin").length > 0 || presets[preset].fit) return;
  resolveConfig(layOver(config, given.all("set"), {}), registry);
}

test("the reader of pages sees commands in blocks and in sentences, with quotes, comments and what follows", () => {
  assert.equal(commandsIn("a --x 'b c' \"d\" --y=e'f g' # said"), [["a", "--x", "b c", "d", "--y=ef g"]]);
  assert.equal(commandsIn("npm ci && npm start"), [
    ["npm", "ci"],
    ["npm", "start"],
  ]);
  assert.equal(commandsIn("onestep plugins --json > x.json"), [["onestep", "plugins", "--json"]]);
  assert.equal(commandsIn("# nothing"), []);
  const ours = [
    "npm run onestep -- doctor",
    "npm run -s onestep -- doctor",
    "npx onestep doctor",
    "A=1 onestep doctor",
  ];
  for (const line of [...ours, "mpirun -n 4 onestep doctor", "deno run -A examples/cli/main.ts doctor"])
    assert.equal(wordsOfOnestep(commandsIn(line)[0]), ["doctor"], line);
  for (const line of ["npm run example -- gaussians", "git clone x onestep", "npm install onestep"])
    assert.is(wordsOfOnestep(commandsIn(line)[0]), undefined, line);
  assert.ok(whole.length > 60 && shown.length - whole.length > 20, `${whole.length}, ${shown.length}`);
});

test("what is wrong with a command is found", async () => {
  const faulty = [
    "onestep train gaussians --stepz 3",
    "onestep trian gaussians",
    "onestep train gaussians --set optimizers.generator.lrr=1",
    "onestep train gaussians --set losses.no-such-loss.weight=1",
    "onestep compare one.json",
    "npm run no-such-script",
    "npm run example -- nothing",
    "node build.mjs nothing",
    "node build.mjs soak nothing",
    "rm -rf /",
  ];
  for (const line of faulty) {
    const found = await check({ page: "", line: 0, text: line, words: commandsIn(line)[0], isWhole: true }).then(
      () => "",
      (error: Error) => error.message,
    );
    assert.not.equal(found, "", line);
  }
});

test("every block of JSON is read, and what is a config is sound", () => {
  const blocks = allPages().flatMap((page) =>
    [...readFileSync(page, "utf8").matchAll(/^```json\n(.*?)^```$/gms)].map(([, text]) => JSON.parse(text)),
  );
  const configs = blocks.filter((block) => "dataset" in block);
  assert.ok(configs.length > 0 && blocks.length > configs.length);
  for (const config of configs) resolveConfig(config, registry);
});

for (const page of new Set(shown.map((each) => each.page)))
  test(`${page}: every command can be run as it stands`, async () => {
    for (const each of shown.filter((command) => command.page === page))
      await check(each).catch((error: Error) => {
        throw new Error(`${page}, line ${each.line}: ${each.text}: ${error.message}`);
      });
  });

test.run();
