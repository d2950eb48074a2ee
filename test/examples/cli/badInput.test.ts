// Every fault a user can cause on the command line: two lines with a code and the way out, the exit status, nothing written.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeSafetensors, encodeSafetensors } from "../../../core/io/safetensors.ts";
import { idxBytes } from "../../helpers/idx.ts";
import { onestep, program, scratch, tinyConfig } from "./program.ts";

const test = suite("examples/cli bad input");
const { path, remove } = scratch();
const out = path("out");
test.before(() => void tinyConfig(path("tiny.json")));
test.after(remove);

/** A line of the place in a user's plugin, which may stand between what is wrong and the way out. */
const PLACE = /^ {2}(at .*, line \d+, column \d+( \(.*\))?$| *\d* \|)/;

/** Runs the words; expects an error of this code whose lines match, the exit status, and no output folder. */
async function refused(words: string[], code: string, status: number, ...says: RegExp[]) {
  const { code: exit, stdout, stderr } = await onestep(...words);
  const lines = stderr
    .trimEnd()
    .split("\n")
    .filter((line) => !/^(device|Warning:) /.test(line));
  const text = lines.join("\n");
  const [wrong, fix, ...more] = lines.filter((line) => !PLACE.test(line));
  assert.equal(more, [], `one line and the way out, not:\n${stderr}`);
  assert.ok(wrong.startsWith(`error ${code}: Cannot `), text);
  assert.match(fix, /^fix: .{10,}/);
  for (const pattern of says) assert.match(text, pattern);
  assert.is(exit, status, text);
  assert.is(stdout, "");
  assert.not.ok(existsSync(out), "a refused run leaves nothing");
}

/** The words of a training run that would work, with others after them. */
const training = (...more: string[]) => {
  return ["train", path("tiny.json"), "--out", out, "--device", "reference", ...more];
};
const write = (name: string, text: string | Uint8Array) => {
  writeFileSync(path(name), text);
  return path(name);
};

const usage: Record<string, [words: string[], ...says: RegExp[]]> = {
  "an unknown command": [["trian"], /"trian".*did you mean "train"\?/],
  "an unknown flag": [training("--stepz", "3"), /--stepz, did you mean "--steps"\?/],
  "a flag without its value": [training("--seed"), /--seed needs a value/],
  "a switch with a value": [training("--resume=yes"), /--resume takes no value/],
  "too many words": [training("more"), /no place for "more"/],
  "no preset": [["train"], /it needs <preset/, /--help/],
  "resume and force": [training("--resume", "--force"), /--resume or --force/],
  "an unknown kind of plugin": [["plugins", "losss"], /"losss".*did you mean "loss"\?/],
};
for (const [name, [words, ...says]] of Object.entries(usage)) test(name, () => refused(words, "E_USAGE", 2, ...says));

test("an unknown preset", () =>
  refused(["train", "gausians", "--out", out], "E_UNKNOWN_PRESET", 2, /did you mean "gaussians"\?/));

test("unknown plugins, with the nearest and all there are", async () => {
  const network = training("--set", "network.use=mpl");
  await refused(network, "E_MISSING_PLUGIN", 2, /network "mpl".*one of adm, dit, mlp, .*did you mean "mlp"/);
  const loss = training("--set", "losses.gan-genrator.weight=1");
  await refused(loss, "E_MISSING_PLUGIN", 2, /did you mean "gan-generator"\?/);
});

test("unknown options and sections", async () => {
  const option = training("--set", "network.widht=3");
  await refused(option, "E_UNKNOWN_OPTION", 2, /"network.widht" is not one of .*did you mean "width"\?/);
  const section = training("--set", "netwrok.width=3");
  await refused(section, "E_UNKNOWN_OPTION", 2, /"netwrok".*did you mean "network"\?/);
  const number = training("--set", "train.stepz=3");
  await refused(number, "E_UNKNOWN_OPTION", 2, /"stepz".*did you mean "steps"\?/);
});

test("values of the wrong type or out of range", async () => {
  await refused(training("--steps", "many"), "E_OPTION", 2, /steps must be a whole number.*"many"/);
  await refused(training("--steps", "-5"), "E_OPTION", 2, /steps must be a whole number.*-5/);
  await refused(training("--seed", "1.5"), "E_OPTION", 2, /seed must be a whole number.*1\.5/);
  await refused(training("--set", "network.width=0"), "E_OPTION", 2, /width must be .*\[1, inf\)/);
  await refused(training("--set", "nothing"), "E_OPTION", 2, /expected name=value/);
  await refused(["sample", "x", "--n", "0"], "E_OPTION", 2, /n must be a whole number/);
});

test("config files that can't be read: line and column", async () => {
  const train = (file: string) => ["train", file, "--out", out];
  const json = write("bad.json", '{"dataset": {"use": "gaussians"},\n "network": [1,}\n');
  await refused(train(json), "E_CONFIG", 2, /bad\.json, line 2, column \d+: /);
  const yaml = write("bad.yaml", "dataset:\n  use: gaussians\n network: x\n");
  await refused(train(yaml), "E_CONFIG", 2, /bad\.yaml, line 3, column 1: /);
  await refused(train(write("list.json", "[]")), "E_CONFIG", 2, /no sections/);
  await refused(train(write("empty.json", "{}")), "E_CONFIG", 2, /dataset is missing/);
  await refused(train(path("none.json")), "E_FILE", 1, /no such file/);
});

test("a pipe in place of a config or of weights is not waited for, a device in place of the output not replaced", async () => {
  if (process.platform === "win32") return;
  for (const name of ["pipe.json", "pipe.safetensors"]) execFileSync("mkfifo", [path(name)]);
  const isNone = /it is a pipe, a socket or a device, a file should be there/;
  await refused(["train", path("pipe.json"), "--out", out], "E_FILE", 1, isNone);
  await refused(["sample", path("pipe.safetensors")], "E_FILE", 1, isNone);
  await refused(["sample", "x.safetensors", "--out", "/dev/null"], "E_FILE", 1, /a pipe, a socket or a device/);
});

test("a system that opens no more files", async () => {
  if (process.platform !== "linux") return;
  const file = await program();
  // What Node itself has open when it begins to read the program is 19 or 20, by its version.
  const ended = [20, 21, 22].map((most) => {
    const words = `ulimit -n ${most}; exec "${process.execPath}" "${file}" train gaussians`;
    return spawnSync("bash", ["-c", words], { encoding: "utf8" });
  });
  const text =
    "error E_FILE: Cannot load the command: too many files are open\nfix: raise the limit: `ulimit -n 1024`\n";
  const told = ended.filter(({ stderr }) => stderr === text);
  assert.ok(told.length > 0, ended.map(({ stderr }) => stderr).join("\n"));
  for (const { status } of told) assert.is(status, 1);
});

test("an adapter that is not there", () =>
  refused(
    ["train", path("tiny.json"), "--out", out, "--device", "voodoo 2"],
    "E_NO_ADAPTER",
    1,
    /wanted an adapter whose name has "voodoo 2"/,
    /onestep doctor/,
  ));

test("a data folder that is not given, is not there or is empty names the files", async () => {
  const mnist = (...more: string[]) => ["train", "mnist", "--out", out, "--device", "reference", ...more];
  await refused(mnist(), "E_DATA", 1, /--data/);
  const all = /train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels/;
  await refused(mnist("--data", path("nowhere")), "E_DATA", 1, all);
  mkdirSync(path("empty"));
  await refused(mnist("--data", path("empty")), "E_DATA", 1, all);
});

test("damaged IDX files", async () => {
  const images = idxBytes([2, 28, 28], new Uint8Array(2 * 784));
  const labels = idxBytes([2], Uint8Array.of(3, 4));
  const data = (name: string, change: Record<string, Uint8Array>) => {
    mkdirSync(path(name));
    const files = {
      "train-images-idx3-ubyte": images,
      "train-labels-idx1-ubyte": labels,
      "t10k-images-idx3-ubyte": images,
      "t10k-labels-idx1-ubyte": labels,
      ...change,
    };
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path(name), file), bytes);
    return ["train", "mnist", "--data", path(name), "--out", out, "--device", "reference"];
  };
  const truncated = { "t10k-images-idx3-ubyte": images.slice(0, 1000) };
  await refused(data("truncated", truncated), "E_DATA", 1, /t10k-images-idx3-ubyte.*1000/);
  const magic = images.slice();
  magic[2] = 0x0d;
  await refused(data("magic", { "train-images-idx3-ubyte": magic }), "E_DATA", 1, /train-images/);
  const fewer = { "train-labels-idx1-ubyte": idxBytes([1], Uint8Array.of(3)) };
  await refused(data("fewer", fewer), "E_DATA", 1, /1 labels.*should have 2/);
});

test("plugin files: missing, no plugin, with a mistake", async () => {
  const plugin = (file: string) => training("--plugin", file);
  await refused(plugin(path("none.ts")), "E_PLUGIN_FILE", 2, /no such file/);
  await refused(plugin(write("three.ts", "export default 3;")), "E_PLUGIN_FILE", 2, /type number/);
  const syntax = write("syntax.ts", "\nconst x: number = ;\nexport default x;");
  await refused(plugin(syntax), "E_PLUGIN_FILE", 2, /syntax\.ts, line 2, column 19: /);
  const wrong = write("wrong.ts", 'import { definePlugn } from "onestep"; export default definePlugn;');
  await refused(plugin(wrong), "E_PLUGIN_FILE", 2, /definePlugn/);
  const throws = write("throws.ts", 'throw new Error("boo");');
  await refused(plugin(throws), "E_PLUGIN_FILE", 2, /throws\.ts: boo/, /throws\.ts, line 1, column 7\n/);
});

test("a shape mismatch in a user's loss names the op and the shapes", async () => {
  const file = write(
    "mismatch.ts",
    `import { definePlugin, LOSSES, ops } from "onestep";
    const compute = ({ generated: { x } }) => ops.mean(ops.matmul(x, x));
    export default definePlugin({
      name: "mismatch", kind: "loss", token: LOSSES, about: "wrong", options: {},
      create: () => ({ name: "mismatch", role: "generator", weight: 1, compute }),
    });`,
  );
  const words = training("--plugin", file, "--set", "losses.mismatch={}");
  await refused(
    words,
    "E_SHAPE",
    1,
    /matmul.*\[8, 2\].*\[8, 2\]/,
    /at .*mismatch\.ts, line 2, column 60 \(loss "mismatch"\)/,
    /\n {2}2 \| .*ops\.matmul\(x, x\)\);\n {4}\| +\^\n/,
  );
});

test("a profile of another method than the config's", () =>
  refused(
    ["train", "gaussians-consistency", "--profile", "dmd2-code", "--out", out],
    "E_USAGE",
    2,
    /Cannot use profile dmd2-code: it is for the method dmd2, the config has consistency/,
    /leave --profile out/,
  ));

test("a folder that holds a run is left alone, and one that holds none can't go on", async () => {
  const made = path("made");
  const again = ["train", path("tiny.json"), "--out", made, "--device", "reference", "--quiet"];
  assert.is((await onestep(...again)).code, 0);
  const before = contents(made);
  await refused(again, "E_RUN_EXISTS", 1, /already holds/, /--resume.*--force/);
  assert.equal(contents(made), before);
  await refused(training("--resume"), "E_CHECKPOINT", 1, /holds no run/);
  await refused(["train", "--resume"], "E_USAGE", 2, /--out/);
});

test("weights to start from: every wrong name in one line, and no step is taken", async () => {
  const { tensors } = decodeSafetensors(readFileSync(join(path("made"), "teacher.safetensors")));
  const { "net.0.weight": first, ...others } = tensors;
  const wrong = encodeSafetensors({ ...others, "net.0.wieght": first, "out.bias": first });
  const file = write("wrong.safetensors", wrong);
  const [name, nearest] = ["net\\.0\\.weight", "net\\.0\\.wieght"];
  const all = `unexpected ${nearest}, did you mean "${name}"\\?; missing ${name}, did you mean "${nearest}"\\?; out\\.bias is `;
  await refused(training("--teacher", file), "E_CHECKPOINT", 1, new RegExp(all));
  const junk = write("junk.safetensors", "junk");
  await refused(training("--teacher", junk), "E_CHECKPOINT", 1, /junk\.safetensors: it has 4 bytes/);
  await refused(training("--teacher", path("none")), "E_FILE", 1, /no such file/);
  await refused(training("--set", "start.techer=x"), "E_UNKNOWN_OPTION", 2, /"teacher"/);
  await refused(training("--set", "start.critic=3"), "E_FILE", 1, /no such file/);
  const config = JSON.parse(readFileSync(path("tiny.json"), "utf8"));
  const number = write("number.json", JSON.stringify({ ...config, start: { critic: 3 } }));
  await refused(["train", number, "--out", out], "E_OPTION", 2, /critic is 3/);
  await refused(training("--resume", "--teacher", file), "E_CHECKPOINT", 1, /holds no run/);
});

test("images whose resolution the network's levels do not divide", async () => {
  mkdirSync(path("images"));
  const x = { dtype: "U8", shape: [1, 3, 20, 20], data: new Uint8Array(1200) } as const;
  const label = { dtype: "I32", shape: [1], data: Int32Array.of(5) } as const;
  write("images/a.safetensors", encodeSafetensors({ x, label }));
  const words = ["train", "imagenet64", "--data", path("images"), "--out", out];
  await refused(
    [...words, "--device", "reference"],
    "E_OPTION",
    2,
    /adm for samples \[3, 20, 20\]: channelMult has 4 levels/,
  );
});

test("guidance of a teacher whose data have no embedding of no text", async () => {
  mkdirSync(path("latents"));
  const zeros = (...shape: number[]) => {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    return { dtype: "F32", shape, data } as const;
  };
  const shard = { x: zeros(1, 4, 8, 8), text: zeros(1, 3, 8) };
  write("latents/a.safetensors", encodeSafetensors(shard));
  const words = ["train", "sd15-stage1", "--data", path("latents"), "--out", out];
  await refused(
    [...words, "--device", "reference"],
    "E_OPTION",
    2,
    /guidanceScale is 1\.75, and the data have no text that stands for none/,
    /add the tensor unconditional\.text/,
  );
});

test("sampling: nothing there, no such class, a picture in the way", async () => {
  const sample = (...words: string[]) => ["sample", ...words, "--device", "reference"];
  await refused(sample(path("nowhere")), "E_CHECKPOINT", 1, /neither a run's folder nor/);
  const run = path("made");
  const picture = path("picture.png");
  await refused(sample(run, "--out", picture, "--label", "3"), "E_OPTION", 2, /has no classes/);
  await refused(sample(run, "--out", picture, "--steps", "4"), "E_OPTION", 2, /trained for/);
  await refused(sample(run, "--out", picture, "--prompts", "x"), "E_USAGE", 2, /knows no text/);
  const critic = join(run, "critic.safetensors");
  await refused(
    sample(critic, "--out", picture),
    "E_CHECKPOINT",
    1,
    /weights of the critic: the method dmd2 draws samples from teacher, generator/,
  );
  await refused(sample(run, "--out", picture, "--role", "critic"), "E_CHECKPOINT", 1, /of the critic/);
  await refused(sample(run, "--role", "critik"), "E_CHECKPOINT", 1, /weights of the critik/);
  await refused(sample(write("x.safetensors", "junk")), "E_CHECKPOINT", 1, /x\.safetensors/);
  // Before weights are read, so that nothing is drawn for nothing.
  const nowhere = path("no/such/x.png");
  await refused(
    sample(path("nowhere"), "--out", nowhere),
    "E_FILE",
    1,
    /there is no folder .*no\/such/,
    /make the folder/,
  );
  await refused(sample(path("nowhere"), "--out", path("images"), "--force"), "E_FILE", 1, /it is a folder/);
  await refused(["pairs", path("nowhere"), "--out", nowhere], "E_FILE", 1, /there is no folder/);
  write("picture.png", "mine");
  await refused(sample(run, "--out", picture), "E_FILE", 1, /there already/, /--force/);
  assert.is(readFileSync(picture, "utf8"), "mine");
});

const contents = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => {
        const file = join(parentPath, name);
        return [file, readFileSync(file).toString("base64")];
      }),
  );

test("replay: no step, no run, a step beyond, values without a file for them, a file in the way", async () => {
  const done = path("replayed");
  const trained = await onestep("train", path("tiny.json"), "--out", done, "--device", "reference", "--quiet");
  assert.is(trained.code, 0, trained.stderr);
  const file = path("there.safetensors");
  writeFileSync(file, "kept");
  const replay = (...more: string[]) => ["replay", done, "--device", "reference", ...more];
  await refused(replay(), "E_USAGE", 2, /no --step, expected a number/);
  await refused(replay("--step", "x"), "E_OPTION", 2, /step/);
  await refused(replay("--step", "12"), "E_OPTION", 2, /has the steps 0 to 11/);
  await refused(
    replay("--step", "3"),
    "E_CHECKPOINT",
    1,
    /no checkpoint is as early, the earliest is .*12\.safetensors; a run that is complete keeps that of its end alone/,
  );
  await refused(replay("--step", "3", "--stage", "teachr"), "E_OPTION", 2, /did you mean "teacher"/);
  await refused(replay("--step", "3", "--only", "mlp"), "E_USAGE", 2, /there is no --out/);
  await refused(replay("--step", "3", "--out", file, "--only", "("), "E_USAGE", 2, /regular expression/);
  await refused(replay("--step", "3", "--out", file), "E_FILE", 1, /there already/);
  await refused(["replay", path("nothing"), "--step", "3"], "E_CHECKPOINT", 1, /it holds no run/);
  assert.is(readFileSync(file, "utf8"), "kept");
});

test.run();
