// What becomes of a run's folder when things go wrong: kills, damage, two runs at once, a disk that refuses, other folders.
import { spawn } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Ended, onestep, program, scratch, start, tinyConfig } from "./program.ts";

const test = suite("examples/cli run folder");
const { path, remove } = scratch();
test.after(remove);

const reference = ["--device", "reference"];
const LONG = { steps: 500, sampleEvery: 0, checkpointEvery: 20, evaluateCount: 10 };
const training = (out: string, ...more: string[]) => {
  // Nine updates make no teacher, so the samples do collapse, and that is said with --quiet too.
  const silent = ["--set", "monitors.collapse=off"];
  return ["train", path("long.json"), "--out", path(out), ...reference, "--quiet", ...silent, ...more];
};
const resuming = (out: string) => ["train", "--resume", "--out", path(out), ...reference, "--quiet"];
const checkpoints = (out: string) => {
  const folder = join(path(out), "checkpoint");
  return existsSync(folder) ? readdirSync(folder).filter((name) => /^\d.*\.safetensors$/.test(name)) : [];
};
const same = (a: string, b: string) =>
  ["teacher", "generator", "critic"].every((role) => {
    const [x, y] = [a, b].map((run) => readFileSync(join(path(run), `${role}.safetensors`)));
    return x.equals(y);
  });
const refused = ({ code, stderr }: Ended, error: string, message: RegExp) => {
  assert.match(stderr, new RegExp(`^error ${error}: `, "m"));
  assert.match(stderr, message);
  assert.is(code, error === "E_OPTION" || error === "E_CONFIG" ? 2 : 1);
};

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1500; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it did not come to that in 30 s");
}
/** A run of which some steps of the distillation are kept. */
async function underway(out: string, ...more: string[]) {
  const started = await start(training(out, ...more));
  await until(() => checkpoints(out).some((name) => /^2-distillation-[1-9]/.test(name)));
  return started;
}

test.before(async () => {
  tinyConfig(path("long.json"), LONG);
  const { code, stderr } = await onestep(...training("whole"));
  assert.is(code, 0, stderr);
  assert.is(stderr, "");
});

test("a finished run keeps one checkpoint, and no second copy of it", () => {
  assert.equal(checkpoints("whole"), ["2-distillation-500.safetensors"]);
  assert.not(existsSync(join(path("whole"), "run.lock")));
});

test("beside a live run no other one starts, goes on or replaces; after a kill -9 the claim is taken over", async () => {
  const { child, ended } = await underway("claimed");
  for (const words of [training("claimed"), training("claimed", "--force"), resuming("claimed")]) {
    const other = await onestep(...words);
    refused(other, "E_RUN_EXISTS", new RegExp(`process ${child.pid} has been at work there since \\d{4}-`));
    assert.match(other.stderr, /^fix: wait until it ends, stop it, or choose another --out$/m);
  }
  child.kill("SIGKILL");
  await ended;
  // Three, and a fourth where the kill came between the writing of the newest and the removal of the oldest.
  assert.ok(checkpoints("claimed").length <= 4);
  assert.ok(existsSync(join(path("claimed"), "run.lock")));
  const resumed = await onestep(...resuming("claimed"));
  assert.is(resumed.code, 0, resumed.stderr);
  assert.ok(same("claimed", "whole"));
  assert.not(existsSync(join(path("claimed"), "run.lock")));
  for (const line of readFileSync(join(path("claimed"), "events.jsonl"), "utf8")
    .trimEnd()
    .split("\n"))
    JSON.parse(line);
});

test("a closed terminal (SIGHUP) keeps a checkpoint; a flipped bit in it is noticed, said, and the one before is used", async () => {
  const { child, ended } = await underway("hung");
  child.kill("SIGHUP");
  assert.is((await ended).code, 130);
  const names = checkpoints("hung").sort((a, b) => Number(b.match(/(\d+)\./)![1]) - Number(a.match(/(\d+)\./)![1]));
  assert.is(names.length, 3);
  const newest = join(path("hung"), "checkpoint", names[0]);
  cpSync(path("hung"), path("damaged"), { recursive: true });
  const bytes = readFileSync(newest);
  bytes[bytes.length - 3000] ^= 64;
  writeFileSync(join(path("damaged"), "checkpoint", names[0]), bytes);
  const { code, stderr } = await onestep(...resuming("damaged"));
  assert.is(code, 0, stderr);
  const [line, ...others] = stderr.trimEnd().split("\n");
  assert.equal(others, []);
  assert.match(
    line,
    /^warning \(checkpoint\): Cannot read \S+: \S+ is not what was written, the file is damaged; goes on from /,
  );
  assert.ok(line.endsWith(names[1]));
  assert.ok(same("damaged", "whole"));
  for (const name of names) writeFileSync(join(path("hung"), "checkpoint", name), "cut");
  refused(await onestep(...resuming("hung")), "E_CHECKPOINT", /none of its 3 checkpoints is sound/);
});

test("--resume as another run, or with fewer steps than are done, is refused", async () => {
  const resume = (...more: string[]) => onestep(...resuming("whole"), ...more);
  refused(await resume("--seed", "9"), "E_CONFIG", /train\.seed is 9, it began with 0/);
  refused(await resume("--set", "method.ttur.critic=2"), "E_CONFIG", /method\.ttur\.critic is 2/);
  refused(await resume("--steps", "1"), "E_OPTION", /stage "distillation" should have 1 steps, 500 are done/);
  const config = join(path("whole"), "config.json");
  const before = readFileSync(config, "utf8");
  const given = JSON.parse(before);
  writeFileSync(config, JSON.stringify({ ...given, train: { ...given.train, seed: 9 } }));
  refused(await resume(), "E_CONFIG", /train\.seed is 9, it began with 0/);
  writeFileSync(config, before);
});

test("a run that kept nothing yet starts from its beginning; a folder of others is left alone, whatever the flag", async () => {
  mkdirSync(path("begun"));
  for (const name of ["config.json", "run.json"]) copyFileSync(join(path("whole"), name), join(path("begun"), name));
  mkdirSync(join(path("begun"), "checkpoint"));
  writeFileSync(join(path("begun"), "checkpoint/1-teacher-0.safetensors.77-0123abcd.tmp"), "draft");
  const { code, stderr } = await onestep(...resuming("begun"));
  assert.is(code, 0, stderr);
  assert.match(stderr, /nothing was kept before it was stopped, so the run starts from its beginning\n$/);
  assert.ok(same("begun", "whole"));
  assert.is(readdirSync(join(path("begun"), "checkpoint")).length, 1);

  mkdirSync(join(path("music"), "samples"), { recursive: true });
  writeFileSync(join(path("music"), "samples/own.wav"), "mine");
  writeFileSync(join(path("music"), "config.json"), '{"volume":3}');
  for (const flag of [[], ["--force"]])
    refused(
      await onestep(...training("music", ...flag)),
      "E_RUN_EXISTS",
      /files of a run's names that no run has written/,
    );
  assert.equal(readdirSync(path("music")).sort(), ["config.json", "samples"]);
  rmSync(join(path("music"), "config.json"));
  rmSync(join(path("music"), "samples/own.wav"));
  assert.is((await onestep(...training("music", "--steps", "1"))).code, 0, "empty folders are in nobody's way");
  writeFileSync(join(path("music"), "samples/own.wav"), "mine");
  assert.is((await onestep(...training("music", "--steps", "1", "--force"))).code, 0);
  assert.is(readFileSync(join(path("music"), "samples/own.wav"), "utf8"), "mine");
});

test("training goes on when nobody reads what it says", async () => {
  const child = spawn(process.execPath, [await program(), ...training("unread").filter((word) => word !== "--quiet")]);
  child.stderr.once("data", () => child.stderr.destroy());
  child.stdout.destroy();
  assert.is(await new Promise((resolve) => child.on("exit", resolve)), 0);
  assert.ok(same("unread", "whole"));
});

test("training goes on when what it says finds no room on the disk", async () => {
  if (!existsSync("/dev/full")) return console.log("not run: there is no /dev/full");
  const full = openSync("/dev/full", "w");
  const words = training("unwritten", "--steps", "1").filter((word) => word !== "--quiet");
  const child = spawn(process.execPath, [await program(), ...words], { stdio: ["ignore", "ignore", full] });
  assert.is(await new Promise((resolve) => child.on("exit", resolve)), 0);
  closeSync(full);
  assert.ok(existsSync(join(path("unwritten"), "generator.safetensors")));
});

test("files are found from another working directory, by --resume and by a config that is repeated", async () => {
  const from = (folder: string, ...words: string[]) => start([...words, ...reference, "--quiet"], {}, folder);
  copyFileSync(join(path("whole"), "teacher.safetensors"), path("mine.safetensors"));
  const words = ["train", "long.json", "--out", "taught", "--teacher", "mine.safetensors", "--steps", "1"];
  assert.is((await (await from(path(""), ...words)).ended).code, 0);
  mkdirSync(path("else/where"), { recursive: true });
  const again = ["train", "../../taught/config.json", "--out", "again"];
  const { code, stderr } = await (await from(path("else/where"), ...again)).ended;
  assert.is(code, 0, stderr);
  const resumed = await (await from(path("else/where"), "train", "--resume", "--out", "../../taught")).ended;
  assert.is(resumed.code, 0, resumed.stderr);
  assert.is(resumed.stderr, "");
});

test("a disk that refuses checkpoints is loud with --quiet, is asked again, and ends the run in time", async () => {
  if (process.platform === "win32") return;
  // No file may grow beyond this: the teacher's states fit, those of all roles don't.
  const limited = (out: string) => {
    const words = [process.execPath, main, ...training(out)];
    return `ulimit -f 12; exec ${words.map((word) => `'${word}'`).join(" ")}`;
  };
  const main = await program();
  const child = spawn("bash", ["-c", limited("limited")], { env: { ...process.env, FORCE_COLOR: undefined } });
  let stderr = "";
  child.stderr.on("data", (text) => (stderr += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.is(code, 1, stderr);
  const lines = stderr.trimEnd().split("\n");
  assert.is(lines.length, 3, stderr);
  assert.match(
    lines[0],
    /^warning \(checkpoint\): Cannot write \S+: it would be larger than files may be here; it is tried again/,
  );
  assert.match(lines[1], /^error E_FILE: Cannot write \S+2-distillation-40/);
  assert.match(
    lines[2],
    /^fix: choose a folder on another disk, then go on from \S+1-teacher-9.safetensors with --resume$/,
  );
  const resumed = await onestep(...resuming("limited"));
  assert.is(resumed.code, 0, resumed.stderr);
  assert.ok(same("limited", "whole"));
});

test.run();
