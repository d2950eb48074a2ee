// The command under mpirun: what rank 0 says for all, and how runs end. Real ranks run with ONESTEP_RANKS=all only, as the gate does.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import type { Backend, Collective } from "../../../core/interfaces/mod.ts";
import { Ranks } from "../../../core/train/mod.ts";
import { checkDevices, dividedEngine } from "../../../examples/cli/ranks.ts";
import { hasMpirun, runRanks } from "../../helpers/mpirun.ts";
import { onRanks } from "../../helpers/ranksInOneProcess.ts";
import { program, onestep as run } from "./program.ts";

const test = suite("examples/cli ranks");
const ranked = hasMpirun() && process.env.ONESTEP_RANKS === "all" ? test : test.skip;
const folder = mkdtempSync(join(tmpdir(), "onestep-ranks-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));

test("processes of one host divide its processors, unless told how many threads each has", () => {
  const place = (localSize: number) => ({ localSize }) as Collective;
  assert.is(dividedEngine({}, place(1), 8).threads, undefined);
  assert.is(dividedEngine({}, place(3), 8).threads, 2);
  assert.is(dividedEngine({}, place(4), 2).threads, 1);
  assert.is(dividedEngine({ threads: 5 }, place(4), 8).threads, 5);
});

test("two ranks of a host on one GPU are refused, unless the launcher gives each its own", async () => {
  const gpu: Backend = new ReferenceBackend();
  Object.assign(gpu, { info: { backend: "webgpu", name: "H200", software: false } });
  const on = (host: (rank: number) => string, visible: (rank: number) => string) =>
    onRanks(3, (collective) =>
      checkDevices(new Ranks(collective, "fixed", host(collective.rank)), gpu, {
        CUDA_VISIBLE_DEVICES: visible(collective.rank),
      }).then(
        () => "sound",
        ({ code, message }) => `${code} ${message}`,
      ),
    );
  const refused = "E_RANKS Cannot share the run: ranks 1 and 2 on b have the same GPU, H200; each should have its own";
  assert.equal(await on((rank) => (rank === 0 ? "a" : "b"), () => "0"), [refused, refused, refused]); // biome-ignore format: a line
  assert.equal(await on(() => "a", (rank) => `${rank}`), ["sound", "sound", "sound"]); // biome-ignore format: a line
});

const TRAIN = ["train", "gaussians", "--device", "wasm", "--threads", "1", "--teacher-steps", "3"];
const LITTLE = ["--set", "train.batch=24", "--set", "method.teacher.batch=24", "--set", "train.evaluateCount=20"];

/** Runs the command as so many ranks. */
const ranks = async (count: number, words: readonly string[], limit?: number) =>
  runRanks(count, [process.execPath, await program(), ...words], { limit });
const out = (name: string) => ["--out", join(folder, name)];
const weights = (name: string) => readFileSync(join(folder, name, "generator.safetensors"));

ranked("50 iterations of DMD2 by 2, 3 and 4 ranks end with the bits of one process with as many parts", async () => {
  for (const size of [2, 3, 4]) {
    const words = [...TRAIN, ...LITTLE, "--steps", "50", "--quiet"];
    const parts = ["--set", `train.accumulate=${size}`];
    const alone = await run(...words, ...parts, ...out(`one-${size}`));
    assert.is(alone.code, 0, alone.stderr);
    const all = await ranks(size, [...words, ...out(`all-${size}`)]);
    assert.is(all.code, 0, all.stderr);
    assert.equal(weights(`all-${size}`), weights(`one-${size}`), `${size} ranks`);
  }
});

ranked("rank 0 alone is heard, and says which reproducibility the run has", async () => {
  const { code, stderr, stdout } = await ranks(2, [...TRAIN, ...LITTLE, "--steps", "2", ...out("heard")]);
  assert.is(code, 0, stderr);
  assert.is(stderr.match(/^device {2}wasm/gm)?.length, 1);
  assert.match(
    stderr,
    /^ranks {3}2 \(Open MPI v[\d.]+\); the 2 parts of a batch are added in their order: the bits of one/m,
  );
  assert.is(stdout.match(/^generator/gm)?.length, 1);
});

ranked("what ranks are wrong about is said once, and nothing is written", async () => {
  const refused = async (words: readonly string[], message: RegExp) => {
    const { code, stderr } = await ranks(3, [...TRAIN, ...words, ...out("refused")]);
    assert.is.not(code, 0);
    assert.is(stderr.match(/^error /gm)?.length, 1, stderr);
    assert.match(stderr, message);
    assert.not.ok(readdirSync(folder).includes("refused"));
  };
  await refused(
    ["--set", "train.accumulate=2"],
    /^error E_OPTION: Cannot share a batch among 3 ranks: it has 2 parts/m,
  );
  await refused(["--set", "train.batch=20"], /^error E_OPTION: .* accumulate is 3, should divide the batch/m);
  await refused(["--set", "train.sed=1"], /^error E_UNKNOWN_OPTION: .*did you mean "seed"/m);
  const seed = (value: number) => ["-n", "1", process.execPath, main, ...TRAIN, "--set", `train.seed=${value}`];
  const main = await program();
  const words = [...seed(1), ...out("refused"), ":", ...seed(2), ...out("refused")];
  const { code, stderr } = await runRanks(1, words.slice(2));
  assert.is.not(code, 0);
  assert.is(stderr.match(/^error /gm)?.length, 1, stderr);
  assert.match(stderr, /^error E_RANKS: Cannot share the run: rank 1 on \S+ has train.seed 2, rank 0 has 1/m);
});

ranked("a rank that is killed ends the job within ten seconds, and the run goes on with fewer", async () => {
  const words = [...TRAIN, ...LITTLE, "--set", "train.accumulate=4", "--set", "train.checkpointEvery=5"];
  const main = await program();
  // A rank that ends itself as a machine would, once the first checkpoint of the distillation is there.
  const dying = `
    const { readdirSync, writeSync } = require("node:fs");
    const folder = ${JSON.stringify(join(folder, "killed", "checkpoint"))};
    const seen = () => { try { return readdirSync(folder).some((name) => /^2-.*-[1-9]\\d*\\./.test(name)); } catch { return false; } };
    if (process.env.OMPI_COMM_WORLD_RANK === "2")
      setInterval(() => { if (seen()) { writeSync(1, "killed at " + Date.now() + "\\n"); process.kill(process.pid, "SIGKILL"); } }, 20);`;
  const killed = await runRanks(4, [
    process.execPath,
    "--import",
    `data:text/javascript,${encodeURIComponent(`import { createRequire } from "node:module"; const require = createRequire(${JSON.stringify(import.meta.url)});${dying}`)}`,
    main,
    ...words,
    "--steps",
    "100000",
    ...out("killed"),
  ]);
  const [, moment] = killed.stdout.match(/^killed at (\d+)/m) ?? [];
  assert.ok(moment, killed.stderr);
  assert.ok(Date.now() - Number(moment) < 10_000);
  assert.match(killed.stderr, /rank 2 .* exited on signal 9/);
  const resumed = await ranks(3, [
    "train",
    "--resume",
    "--device",
    "wasm",
    "--threads",
    "1",
    "--steps",
    "40",
    ...out("killed"),
  ]);
  assert.is(resumed.code, 0, resumed.stderr);
});

test.run();
