import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeSafetensors } from "../../../core/io/safetensors.ts";
import { onestep, scratch, start, tinyConfig } from "./program.ts";

const test = suite("examples/cli train and sample");
const { path, remove } = scratch();
test.before(() => void tinyConfig(path("tiny.json")));
test.after(remove);

const training = (out: string, ...more: string[]) => {
  return ["train", path("tiny.json"), "--out", path(out), "--device", "reference", ...more];
};
const isPng = (file: string) => readFileSync(file).subarray(1, 4).toString() === "PNG";

test("a run leaves its folder, prints device, progress and result, and ends by itself", async () => {
  const { code, stdout, stderr } = await onestep(...training("run", "--seed", "3"));
  assert.is(code, 0, stderr);
  assert.match(stderr, /^device {2}reference: /m);
  assert.match(stderr, /^teacher {2}9\/9 .*edm-denoising \d/m);
  assert.match(stderr, /^distillation {2}12\/12 .*fake-score \d/m);
  assert.match(stdout, /NFE +samples +in2 +in3/);
  for (const row of [/^real data +- +50 /m, /^teacher +5 +50 /m, /^generator +1 +50 /m]) assert.match(stdout, row);

  const at = (name: string) => join(path("run"), name);
  const files = readdirSync(path("run")).sort();
  assert.equal(files, [
    "checkpoint",
    "config.json",
    "critic.safetensors",
    "events.jsonl",
    "generator.safetensors",
    "losses.svg",
    "report.html",
    "report.json",
    "run.json",
    "samples",
    "teacher.safetensors",
  ]);
  const config = JSON.parse(readFileSync(at("config.json"), "utf8"));
  assert.is(config.train.seed, 3);
  assert.is(config.network.width, 8);
  assert.match(
    readFileSync(at("report.html"), "utf8"),
    /<h2>Result<[\s\S]*<h2>teacher beside generator<[\s\S]*<h2>Losses</,
  );
  assert.match(readFileSync(at("losses.svg"), "utf8"), /<svg[\s\S]*distribution-matching/);
  for (const name of ["teacher-5", "generator-5", "generator-10", "teacher-12", "generator-12"])
    assert.ok(isPng(at(`samples/${name}.png`)), name);
  const { judgements } = JSON.parse(readFileSync(at("report.json"), "utf8"));
  assert.is(judgements.length, 3);

  const events = readFileSync(at("events.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.is(events[0].type, "run/start");
  assert.equal([events.at(-1).type, events.at(-1).reason], ["run/end", "complete"]);
  assert.is(events.filter(({ type }) => type === "step/end").length, 21);
  const updates = (role: string) => events.filter((event) => event.type === "role/updated" && event.role === role);
  assert.equal(
    updates("critic").map(({ step }) => step),
    [0, 3, 6, 9],
  );
  assert.equal(
    updates("generator").map(({ step }) => step),
    [0, 5, 10],
  );
  assert.type(updates("generator")[0].losses["distribution-matching"], "number");
});

test("without --out a second run of the same name goes beside the first", async () => {
  const words = ["train", path("tiny.json"), "--device", "reference", "--quiet"];
  const cwd = path("");
  const again = async (...more: string[]) => (await start([...words, "--steps", "1", ...more], {}, cwd)).ended;
  const first = await again();
  assert.is(first.code, 0, first.stderr);
  assert.is(first.stderr, "");
  const config = readFileSync(path("runs/tiny/config.json"), "utf8");
  const second = await again("--seed", "1");
  assert.is(second.code, 0, second.stderr);
  assert.match(second.stderr, /^note: runs.tiny holds a run, this one goes to runs.tiny-2; /);
  assert.is(readFileSync(path("runs/tiny/config.json"), "utf8"), config);
  assert.is((await again("--force", "--seed", "2")).stderr, "");
  assert.equal(readdirSync(path("runs")).sort(), ["tiny", "tiny-2"]);
});

test("the devices train to the same numbers, and end by themselves", async () => {
  const sw = (run: string) => {
    const { judgements } = JSON.parse(readFileSync(join(path(run), "report.json"), "utf8"));
    return judgements.map(({ metrics }: { metrics: { sw: number } }) => metrics.sw);
  };
  const expected = sw("run");
  for (const device of ["wasm", "webgpu"]) {
    const config = join(path("run"), "config.json");
    const words = ["train", config, "--out", path(device), "--device", device];
    const { code, stderr } = await onestep(...words);
    assert.is(code, 0, stderr);
    assert.match(stderr, new RegExp(`^device {2}${device}: `, "m"));
    for (const [i, value] of sw(device).entries())
      assert.ok(Math.abs(value - expected[i]) < 1e-3, `${device}: ${value}, not ${expected[i]}`);
  }
});

test("the config of a finished run repeats it, bit for bit", async () => {
  const config = join(path("run"), "config.json");
  const words = ["train", config, "--out", path("again"), "--device", "reference", "--quiet"];
  const { code, stderr } = await onestep(...words);
  assert.is(code, 0, stderr);
  assert.is(stderr, "", "--quiet says nothing on the way");
  assert.ok(same("run", "again"));
});

test("sample: pictures of the generator and the teacher, the same for the same seed", async () => {
  const draw = (out: string, ...words: string[]) =>
    onestep("sample", path("run"), "--device", "reference", "--n", "30", "--out", path(out), ...words);
  const first = await draw("a.png", "--seed", "1");
  assert.is(first.code, 0, first.stderr);
  assert.match(first.stdout, /a\.png: 30 samples of the generator, NFE 1$/m);
  const bytes = (name: string) => readFileSync(path(name)).toString("base64");
  assert.ok(isPng(path("a.png")));
  await draw("b.png", "--seed", "1");
  assert.is(bytes("b.png"), bytes("a.png"));
  await draw("b.png", "--seed", "2", "--force");
  assert.is.not(bytes("b.png"), bytes("a.png"));
  const teacher = await draw("t.png", "--role", "teacher", "--steps", "2");
  assert.match(teacher.stdout, /teacher, NFE 3$/m);
  const few = await draw("f.png", "--sampler", "renoise", "--set", "sigmas=10,1");
  assert.match(few.stdout, /generator, NFE 2$/m);
});

test("Ctrl-C keeps a checkpoint, and the resumed run ends with the weights of one that was not stopped", async () => {
  // Long enough to be caught in the middle of the second stage.
  tinyConfig(path("long.json"), { steps: 900, sampleEvery: 0 });
  const long = (out: string, ...more: string[]) => [
    "train",
    path("long.json"),
    "--out",
    path(out),
    "--device",
    "reference",
    ...more,
  ];
  assert.is((await onestep(...long("whole", "--quiet"))).code, 0);

  const { child, ended } = await start(long("stopped"));
  const log = join(path("stopped"), "events.jsonl");
  await until(() => existsSync(log) && readFileSync(log, "utf8").includes('"role":"critic","step":30'));
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  assert.is(code, 130, stderr);
  assert.match(stderr, /onestep train --resume --out .*stopped --device reference/);
  const [newest] = readdirSync(join(path("stopped"), "checkpoint"))
    .sort()
    .reverse();
  assert.match(newest, /^2-distillation-\d+\.safetensors$/);
  assert.not.ok(existsSync(join(path("stopped"), "generator.safetensors")), "it was not finished");

  const resumed = await onestep("train", "--resume", "--out", path("stopped"), "--device", "reference");
  assert.is(resumed.code, 0, resumed.stderr);
  assert.ok(same("whole", "stopped"));
  const steps = readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line.includes("step/end"));
  assert.is(steps.length, 9 + 900, "every step once, over both sessions");
  assert.match(
    readFileSync(join(path("stopped"), "losses.svg"), "utf8"),
    /edm-denoising/,
    "losses of the first session too",
  );
});

test("a signal is heard while a large network is traced, and leaves nothing", async () => {
  const words = ["--set", "network.depth=40000", "--set", "network.width=2", "--out", path("deaf")];
  const { child, ended } = await start(["train", path("long.json"), "--device", "reference", ...words]);
  let device = "";
  child.stderr!.on("data", (text) => (device += text));
  await until(() => device.includes("device"));
  await new Promise((resolve) => setTimeout(resolve, 700));
  const began = performance.now();
  child.kill("SIGTERM");
  const { stderr } = await ended;
  assert.ok(performance.now() - began < 2000, "at once");
  assert.is(child.signalCode, "SIGTERM", stderr);
  assert.not.ok(existsSync(path("deaf")));
});

test("--teacher off is no file: the teacher is trained as the config says", async () => {
  const { code, stderr } = await onestep(...training("untold", "--teacher", "off"));
  assert.is(code, 0, stderr);
  assert.match(stderr, /teacher {2}9\/9/);
});

test("a loss of the user's own is trained with, through --plugin", async () => {
  const plugin = ["--plugin", "examples/custom-loss/charbonnier.ts", "--set", "losses.charbonnier.weight=0.5"];
  const { code, stderr } = await onestep(...training("custom", ...plugin));
  assert.is(code, 0, stderr);
  assert.match(stderr, /charbonnier \d/);
  assert.match(
    stderr,
    /done; draw samples with: .*onestep sample .*custom --plugin examples\/custom-loss\/charbonnier\.ts/,
  );
  const listed = await onestep("plugins", "loss", ...plugin.slice(0, 2));
  assert.match(listed.stdout, /loss charbonnier: .*\n.*\n +weight +0\.1 /);
  // The weights can be sampled without the plugin: it played a part in training only.
  const { code: sampled } = await onestep("sample", path("custom"), "--device", "reference", "--out", path("c.png"));
  assert.is(sampled, 0);
});

test("YAML configs, --set over the config, --force over an old run", async () => {
  const { writeFileSync } = await import("node:fs");
  const yaml = "# a comment\nextra: &none {}\n";
  writeFileSync(path("bad.yaml"), yaml);
  assert.match((await onestep("train", path("bad.yaml"))).stderr, /"extra" is not one of/);
  const words = training("run", "--force", "--quiet", "--set", "losses.gan-generator=off", "--steps", "2");
  assert.is((await onestep(...words)).code, 0);
  const config = JSON.parse(readFileSync(join(path("run"), "config.json"), "utf8"));
  assert.is(config.losses["gan-generator"], undefined);
  assert.is(config.train.steps, 2);
  assert.not.ok(existsSync(join(path("run"), "samples/generator-12.png")), "the old run is gone");
});

const same = (a: string, b: string) =>
  ["teacher", "generator"].every((role) => {
    const [x, y] = [a, b].map((run) => readFileSync(join(path(run), `${role}.safetensors`)));
    return x.equals(y);
  });

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it did not come to that in 20 s");
}

test("--teacher: its weights are those of the file, and it is not trained", async () => {
  const file = join(path("run"), "teacher.safetensors");
  const { code, stderr } = await onestep(...training("taught", "--teacher", file, "--steps", "1"));
  assert.is(code, 0, stderr);
  assert.not.match(stderr, /^teacher {2}\d/m);
  const config = JSON.parse(readFileSync(join(path("taught"), "config.json"), "utf8"));
  assert.equal(config.start, { teacher: file });
  assert.is(config.method.teacher.steps, 0);
  const weights = (run: string) => decodeSafetensors(readFileSync(join(path(run), "teacher.safetensors"))).tensors;
  assert.equal(weights("taught"), weights("run"));
});

test("sample: whose weights there are, where they are of other roles", async () => {
  const folder = path("others");
  mkdirSync(folder, { recursive: true });
  for (const name of ["config.json", "a.safetensors", "b.safetensors"]) writeFileSync(join(folder, name), "{}");
  const { code, stderr } = await onestep("sample", folder, "--out", path("others.png"));
  assert.is(code, 1);
  assert.match(stderr, /it has no weights of the generator or the teacher$/m);
  assert.match(stderr, /with --role a or --role b$/m);
});

test.run();
