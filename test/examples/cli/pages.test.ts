import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commandName } from "../../../examples/cli/asStarted.ts";
import { commands } from "../../../examples/cli/commands.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { onestep, start } from "./program.ts";

const test = suite("examples/cli pages");
const names = commands.map(({ name }) => name);

test("--help and no words at all: every command; --version: that of package.json", async () => {
  for (const words of [[], ["--help"], ["help"]]) {
    const { code, stdout } = await onestep(...words);
    assert.is(code, 0);
    for (const name of names) assert.match(stdout, new RegExp(`^ {2}${name} `, "m"));
  }
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  assert.is((await onestep("--version")).stdout, `${version}\n`);
});

test("every command has a page with examples", async () => {
  for (const name of names) {
    const { code, stdout } = await onestep(name, "--help");
    assert.is(code, 0);
    assert.match(stdout, `usage: ${commandName()} ${name}`);
    assert.match(stdout, `examples\n  ${commandName()} ${name}`);
    assert.is((await onestep("help", name)).stdout, stdout);
  }
});

test("every command can be loaded, and has what runs it", async () => {
  for (const { name, load } of commands) assert.type((await load()).run, "function", name);
});

test("plugins: each with its options", async () => {
  const { code, stdout } = await onestep("plugins");
  assert.is(code, 0);
  for (const { definition } of allPlugins) {
    assert.ok(stdout.includes(`${definition.kind} ${definition.name}: `), definition.name);
    for (const option of Object.keys(definition.options)) assert.ok(stdout.includes(option), option);
  }
  const losses = await onestep("plugins", "loss");
  assert.match(losses.stdout, /^loss gan-generator: /m);
  assert.not.match(losses.stdout, /^network /m);
});

test("plugins --json: one JSON document of all plugins, those of --plugin among them", async () => {
  const { code, stdout } = await onestep("plugins", "--json", "--plugin", "examples/custom-loss/charbonnier.ts");
  assert.is(code, 0);
  const { $defs } = JSON.parse(stdout) as { $defs: object };
  for (const { definition } of allPlugins) assert.ok(`${definition.kind}/${definition.name}` in $defs);
  assert.ok("loss/charbonnier" in $defs);
  const { code: refused, stderr } = await onestep("plugins", "loss", "--json");
  assert.is(refused, 2);
  assert.match(stderr, /schema of kind "loss" alone/);
});

test("doctor: adapters, backends, tiles and what auto uses", async () => {
  const { code, stdout, stderr } = await onestep("doctor");
  assert.is(code, 0);
  assert.not.match(stderr, /artificially reduced/, "what drivers say to themselves");
  const backends = [...stdout.matchAll(/^ {2}(webgpu|wasm|reference) +\S.*/gm)].map(([, name]) => name);
  assert.equal(backends, ["webgpu", "wasm", "reference"]);
  assert.match(stdout, /^runtime +node /m);
  assert.match(stdout, /^wasm uses (wide|narrow) tiles: \S/m);
  assert.match(stdout, /^--device auto uses (webgpu|wasm|reference): /m);
});

test("doctor: ONESTEP_WIDE switches wide tiles off, and must be on or off", async () => {
  const said = async (wish: string) => (await (await start(["doctor"], { ONESTEP_WIDE: wish })).ended).stdout;
  assert.match(await said("off"), /^wasm uses narrow tiles: wide ones are switched off$/m);
  assert.match(await said("no"), /^wasm uses nothing: Cannot read ONESTEP_WIDE="no": expected on or off$/m);
  const { code, stderr } = await (await start(["plan", "gaussians"], { ONESTEP_WIDE: "no" })).ended;
  assert.is(code, 2, "no other device takes its place");
  assert.match(stderr, /E_OPTION: Cannot read ONESTEP_WIDE="no"/);
});

test.run();
