// What a user gets: the package is packed, installed into an empty project, and used there as the README says. No network:
// the dependencies are those of this folder.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { creatable } from "../../examples/cli/create/kinds.ts";
import { scratch } from "../examples/cli/program.ts";
import { hasChromium, inChromium } from "../helpers/chromium.ts";

const test = suite("the installed package");
const { path, remove } = scratch();
test.after(remove);

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const app = path("app");
const installed = join(app, "node_modules/onestep");
const command = join(installed, manifest.bin.onestep);

/** Runs a program of this Node in the user's project; fails the test unless it ends well. */
function node(args: readonly string[], { cwd = app, env = {} } = {}): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, ONESTEP_ADAPTER: "", ...env },
  });
  assert.is(status, 0, `${args.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}
const onestep = (...words: string[]) => node([command, ...words]);

/** `npm` by way of Node where npm has started this test, since Windows can't spawn npm itself without a shell. */
function npm(words: readonly string[], cwd: string): void {
  const { npm_execpath: cli } = process.env;
  const { status, stderr } = cli
    ? spawnSync(process.execPath, [cli, ...words], { cwd, encoding: "utf8" })
    : spawnSync("npm", words, { cwd, encoding: "utf8" });
  assert.is(status, 0, `npm ${words.join(" ")}\n${stderr}`);
}

function link(name: string): void {
  const place = join(app, "node_modules", name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(realpathSync(join("node_modules", name)), place, "junction");
}

/** How the package is used in programs; its second block samples from what the first has made. */
const GUIDE = "examples/guides/embedding.md";
const GUIDE_PROGRAM = "examples-guides-embedding-md-1.js";

/** Plugins of users, one of each kind besides a loss. */
const OWN = "examples/custom-plugins";

/** The examples of the README that are whole programs or plugins: its own blocks, and the files that it points to. */
function examples(): string[] {
  const own = readdirSync(OWN).map((name) => `${OWN}/${name}`);
  const files = ["examples/embedding/main.ts", "examples/custom-loss/charbonnier.ts", ...own];
  for (const file of files) copyFileSync(file, join(app, basename(file)));
  const guides = readdirSync("examples/guides").map((name) => `examples/guides/${name}`);
  // Blocks of `typescript` are parts of programs.
  const readmes = ["README.md", "plugins/README.md", ...guides].filter((file) => existsSync(file));
  const blocks = readmes.flatMap((file) => {
    const found = [...readFileSync(file, "utf8").matchAll(/^```ts\n(.*?)^```$/gms)];
    return found.map(([, code], i) => {
      const name = `${file.replace(/\W/g, "-")}-${i}.ts`;
      writeFileSync(join(app, name), code);
      return name;
    });
  });
  return [...files.map((file) => basename(file)), ...blocks];
}

let programs: string[] = [];

/** What `create-plugin` has written, by kind. */
const created = Object.fromEntries(creatable.map((kind) => [kind, `my-${kind}`]));

test.before(() => {
  const packed = path("packed");
  node(["build.mjs", "dist", `--out=${packed}`], { cwd: process.cwd() });
  for (const name of ["package.json", ...manifest.files]) if (name !== "dist") copyFileSync(name, join(packed, name));
  npm(["pack", "--silent", "--offline", "--pack-destination", path("")], packed);
  const tarball = path(`onestep-${manifest.version}.tgz`);
  mkdirSync(installed, { recursive: true });
  const tar = ["-xzf", tarball, "-C", installed, "--strip-components", "1"];
  assert.is(spawnSync("tar", tar).status, 0);
  for (const name of [...Object.keys(manifest.dependencies), "@types/node"]) link(name);
  writeFileSync(join(app, "package.json"), JSON.stringify({ type: "module", private: true }));
  for (const [kind, name] of Object.entries(created)) onestep("create-plugin", kind, name);
  programs = examples();
});

test("it holds what it names, and nothing of the tests", () => {
  assert.equal(readdirSync(installed).sort(), ["package.json", ...manifest.files].sort(), "as `files` says");
  assert.equal(readdirSync(join(installed, "dist")).sort(), ["backends", "cli", "core", "examples", "plugins", "wgsl"]);
  for (const entry of Object.values<string | Record<string, string>>(manifest.exports))
    for (const file of typeof entry === "string" ? [entry] : Object.values(entry))
      assert.ok(existsSync(join(installed, file)), file);
});

test("no script of package.json leans on a shell's syntax", () => {
  for (const [name, script] of Object.entries<string>(manifest.scripts))
    assert.match(script, /^(node|biome) [\w.:/ -]+$/, name);
});

test("every entry can be imported", () => {
  const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith(".json"));
  const imports = entries.map((entry) => `await import("onestep${entry.slice(1)}");`);
  writeFileSync(join(app, "all.mjs"), imports.join("\n"));
  node(["all.mjs"]);
});

test("every example type-checks against the packed declarations, in strict mode", () => {
  const compilerOptions = {
    target: "ES2022",
    module: "NodeNext",
    strict: true,
    // As `tsc --init` of TypeScript 5.9 and newer asks for.
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    // As the tests that create-plugin writes import their plugin, for runners that read TypeScript.
    rewriteRelativeImportExtensions: true,
    types: ["node"],
    outDir: "out",
  };
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  node([resolve("node_modules/typescript/bin/tsc"), "-p", "."]);
});

test("the declarations compile without the DOM library", () => {
  const folder = join(app, "without-dom");
  mkdirSync(folder, { recursive: true });
  const entries = Object.keys(manifest.exports).filter((entry) => !entry.endsWith(".json"));
  const exports = entries.map((entry, i) => `export * as entry${i} from "onestep${entry.slice(1)}";`);
  writeFileSync(join(folder, "all.ts"), exports.join("\n"));
  const compilerOptions = { lib: ["ES2023"], module: "NodeNext", strict: true, noEmit: true, types: ["node"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
  node([resolve("node_modules/typescript/bin/tsc"), "-p", folder]);
});

/** What a program of the engine may write, and what the compiler must refuse. */
const TYPED = `
  import { createEngine, type Engine, type Sampled } from "onestep/engine";
  import { createEngine as bare } from "onestep/engine/bare";
  import { gaussiansDataset, heun } from "onestep/plugins";
  export async function use(): Promise<Sampled> {
    await using engine: Engine = await createEngine({ device: "wasm", plugins: [heun, gaussiansDataset] });
    const training = await engine.train({
      dataset: { use: "gaussians" }, network: { use: "mlp" }, method: { use: "dmd2" }, losses: {}, optimizers: {},
      metrics: { "gaussian-modes": {} },
    });
    training.events.subscribe((event) => event.type === "step/end" && event.ms.toFixed());
    const { judgements } = await training.start();
    const who: "data" | "teacher" | "generator" | "critic" = judgements[0].who;
    // @ts-expect-error: the metric gives no such number
    judgements[0].metrics.fid;
    // @ts-expect-error: there is no such role
    await training.model("discriminator");
    // @ts-expect-error: a bare engine has no plugins of its own
    await bare({ device: who });
    // @ts-expect-error: a seed is a number
    return (await engine.load("run")).sample({ count: 3, seed: "7", label: [1, "two", 3] });
  }
`;

test("strict programs of the engine type-check by the rules of Node and of bundlers", () => {
  const folder = join(app, "typed");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "typed.ts"), TYPED);
  const strict = { target: "ES2022", strict: true, noEmit: true, exactOptionalPropertyTypes: true };
  const rules = [
    { module: "Node16", moduleResolution: "Node16", lib: ["ES2023", "ESNext.Disposable"], types: ["node"] },
    { module: "ESNext", moduleResolution: "Bundler", lib: ["ES2023", "ESNext.Disposable", "DOM"], types: [] },
  ];
  // Another version of TypeScript may be named, for the gate.
  const compilers = [resolve("node_modules/typescript/bin/tsc"), process.env.ONESTEP_TYPESCRIPT ?? ""].filter(Boolean);
  for (const compiler of compilers)
    for (const each of rules) {
      const config = { compilerOptions: { ...strict, ...each }, include: ["*.ts"] };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
      node([resolve(compiler), "-p", folder]);
    }
});

test("every example runs; those that are plugins are well-formed, and the README's own test of them passes", () => {
  const run = `
    import { checkPlugin } from "onestep/testing";
    const { default: plugin } = await import(process.argv[2]);
    if (plugin) checkPlugin(plugin);
  `;
  writeFileSync(join(app, "run.mjs"), run);
  // Workers of a page fetch what lies beside them, which Node does not; they are compiled, above.
  for (const file of programs.filter((each) => !each.startsWith("examples-guides-browser-md"))) {
    const printed = node(["run.mjs", `./out/${file.replace(/\.ts$/, ".js")}`]);
    if (file === "main.ts") assert.match(printed, /^generator: sliced Wasserstein distance 0\./m);
  }
});

/** The blocks of the guide that a page runs, by the name in their first line. */
const pageBlocks = (): Record<string, string> =>
  Object.fromEntries(
    [...readFileSync(GUIDE, "utf8").matchAll(/^```js\n(\/\/ (\S+)\n.*?)^```$/gms)].map(([, code, name]) => [
      name,
      code,
    ]),
  );

test("the guide's page and worker bundle as it says, for a browser, with nothing of Node", async () => {
  const blocks = pageBlocks();
  assert.equal(Object.keys(blocks).sort(), ["page.js", "with-worker.js", "worker.js"]);
  for (const [name, code] of Object.entries(blocks)) writeFileSync(join(app, name), code);
  const { metafile } = await build({
    absWorkingDir: app,
    entryPoints: Object.keys(blocks),
    outdir: "public",
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    metafile: true,
    logLevel: "warning",
  });
  const imports = Object.values(metafile.outputs).flatMap((each) => each.imports);
  assert.equal(
    imports.filter(({ external }) => external),
    [],
  );
});

const inPage = hasChromium() && process.env.ONESTEP_BROWSER ? test : test.skip;
inPage("the guide's page and worker give the samples of Node", async () => {
  const [, expected] = node([`out/${GUIDE_PROGRAM}`])
    .trim()
    .split("\n");
  const folder = join(app, "public");
  const built = Object.fromEntries(readdirSync(folder).map((name) => [`/${name}`, readFileSync(join(folder, name))]));
  const content = { ...built, "/generator.safetensors": readFileSync(join(app, "runs/first/generator.safetensors")) };
  for (const page of ["page.js", "with-worker.js"]) {
    const script = `
      const result = await import("/${page}").then(() => document.body.textContent, String);
      await fetch("/result", { method: "POST", body: result });
    `;
    assert.is(await inChromium(script, content), expected, page);
  }
});

test("what create-plugin has written is short, passes its own test, and trains", () => {
  for (const name of Object.values(created)) {
    const code = readFileSync(join(app, `${name}.ts`), "utf8");
    assert.ok(code.split("\n").filter((line) => line.trim() !== "").length < 25, name);
  }
  const tests = Object.values(created).map((name) => `out/${name}.test.js`);
  const report = node(["--test", "--test-reporter", "tap", ...tests]);
  for (const name of Object.values(created)) assert.match(report, new RegExp(`^ *ok \\d+ - ${name}$`, "m"));
  const { loss, sampler, dataset, metric, method } = created;
  const chosen = [`dataset.use=${dataset}`, `sampler.use=${sampler}`, `method.use=${method}`, "sampler.steps=2"];
  const added = [`losses.${loss}.weight=0.1`, `metrics.${metric}.real=50`, "method.critic.steps=1"];
  const settings = [...chosen, ...added, "metrics.gaussian-modes=off", "train.evaluateCount=50"];
  const files = Object.values(created).flatMap((name) => ["--plugin", `${name}.ts`]);
  const few = ["--teacher-steps", "1", "--steps", "2", "--out", "runs/created", "--device", "wasm", "--quiet"];
  const printed = onestep("train", "gaussians", ...few, ...files, ...settings.flatMap((each) => ["--set", each]));
  assert.match(printed, new RegExp(`^ +NFE +samples +${metric}$`, "m"));
  const events = readFileSync(join(app, "runs/created/events.jsonl"), "utf8");
  assert.match(events, new RegExp(`"${loss}":`));
});

test("the command trains with a user's own plugin of every kind, and samples from what it made", () => {
  const files = ["charbonnier.ts", ...readdirSync(OWN)];
  const chosen = ["dataset.use=moons", "network.use=residual", "sampler.use=midpoint", "method.use=critic-first"];
  const added = ["method.critic.steps=2", "losses.charbonnier.weight=0.1", "metrics.power.real=100"];
  const settings = [...chosen, ...added, "metrics.gaussian-modes=off", "train.evaluateCount=200"];
  const own = files.flatMap((file) => ["--plugin", file]);
  const printed = onestep(
    "train",
    "gaussians",
    "--device",
    "wasm",
    "--quiet",
    "--teacher-steps",
    "4",
    "--steps",
    "6",
    ...own,
    ...settings.flatMap((each) => ["--set", each]),
  );
  assert.match(printed, /^ +NFE +samples +power$/m);
  assert.match(printed, /^generator +1 +200 /m);
  assert.match(readFileSync(join(app, "runs/gaussians/events.jsonl"), "utf8"), /"charbonnier":/);
  assert.match(onestep("sample", "runs/gaussians", "--device", "wasm", ...own), /^samples\.png: 100 /);
});

test("the command holds itself to reference cases", () => {
  const golden = resolve("test/golden");
  const words = ["conformance", golden, "--only", "^ema", "--device", "reference"];
  assert.match(onestep(...words), /^1 passed, 0 failed, 0 unsupported$/m);
});

/** The sources in the scripts that a run of the command has loaded, and the packages. */
function loaded(...words: string[]): string[] {
  const folder = path(`coverage-${words.join("-")}`);
  node([command, ...words], { env: { NODE_V8_COVERAGE: folder } });
  const scripts = readdirSync(folder).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    return (result as { url: string }[]).map(({ url }) => url);
  });
  const files = scripts.filter((url) => url.startsWith("file:")).map((url) => fileURLToPath(url));
  const own = realpathSync(installed);
  return files.flatMap((file) => {
    if (!file.startsWith(own)) return [relative(realpathSync("node_modules"), file)];
    const { sources } = JSON.parse(readFileSync(`${file}.map`, "utf8"));
    const built = join(realpathSync(path("packed")), "dist/cli");
    return (sources as string[]).map((source) => relative(process.cwd(), resolve(built, source)).replaceAll("\\", "/"));
  });
}

test("help and the list of plugins load no device, no package and no training loop", () => {
  const light = /^(examples\/|plugins\/|core\/|engine\/ofStored\.ts$)/;
  const heavy =
    /^core\/train\/(loop|run)\/|^core\/di\/container|^plugins\/observers\/(?!(table|csv|tensorboard|lossReadings|shared\/\w+)\.ts)/;
  // The list has a file or more of each plugin, which are not counted.
  const pages = { "--help": 30, "train --help": 60, plugins: 280 };
  for (const [words, most] of Object.entries(pages)) {
    const sources = loaded(...words.split(" "));
    assert.ok(sources.includes("examples/cli/main.ts"), "the reader of loaded scripts works");
    assert.equal(
      sources.filter((source) => !light.test(source) || heavy.test(source)),
      [],
      words,
    );
    const counted = sources.filter((source) => words !== "plugins" || !source.startsWith("plugins/"));
    assert.ok(counted.length <= most, `${words}: ${counted.length} files`);
  }
  const doctor = loaded("doctor");
  assert.ok(doctor.some((source) => source.startsWith("backends/webgpu/")));
});

test.run();
