// Folders that version 0.1.0 wrote (test/golden/v0.1.0/README.md): what it promised to go on with goes on, to the bit.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../backends/host/files.ts";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { decodeSafetensors, toFloat32 } from "../../../core/io/safetensors.ts";
import type { Setting } from "../../../core/plugin/mod.ts";
import { readWeights } from "../../../core/train/mod.ts";
import { loadRegistry } from "../../../examples/cli/registry.ts";
import { openDrawer, storedPlugins } from "../../../examples/cli/storedWeights.ts";
import { imageGrid } from "../../../plugins/observers/drawing/imageGrid.ts";
import { encodePng } from "../../../plugins/observers/drawing/png.ts";
import { onestep, scratch } from "./program.ts";

const test = suite("examples/cli runs of 0.1.0");
const { path, remove } = scratch();
test.after(remove);

const old = (...names: string[]) => join("test/golden/v0.1.0", ...names);
const reference = ["--device", "reference"];
/** Runs the words, which should do; what they print. */
async function done(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await onestep(...words, ...reference);
  assert.is(code, 0, stderr);
  return `${stderr}${stdout}`;
}
const weights = (...names: string[]) => decodeSafetensors(readFileSync(join(...names))).tensors;
const configOf = (folder: string) => JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
/** A folder of 0.1.0 that may be written to. */
function copied(name: string): string {
  cpSync(old(name), path(name), { recursive: true });
  return path(name);
}

/** Nine samples of a role as 0.1.0 drew them: a row of images, each enlarged to about 48 pixels. */
async function pictureOf(role: string, settings: readonly Setting[] = []): Promise<Buffer> {
  const stored = await readWeights(files, old("classes", `${role}.safetensors`));
  const plugins = storedPlugins(stored.info, "heun", settings, await loadRegistry());
  const backend = new ReferenceBackend();
  const { drawer, close } = await openDrawer(backend, plugins, stored, { count: 9, ownLevels: true });
  const { x, shape } = await drawer.draw({ count: 9, seed: 5 });
  await close();
  return Buffer.from(encodePng(imageGrid(x, shape, { columns: 9, scale: Math.round(48 / shape[3]) })));
}

test("sample draws the same pictures from its weights, by class", async () => {
  const draw = (role: string, ...more: string[]) => {
    const words = ["sample", old("classes"), "--n", "9", "--seed", "5", "--role", role, ...more];
    return done(...words, "--out", path(`${role}.png`));
  };
  assert.match(await draw("generator"), /9 samples of the generator, NFE 1$/m);
  assert.match(await draw("teacher", "--steps", "3"), /9 samples of the teacher, NFE 5$/m);
  // Sheets have titles now; the images in them are those of the pictures that 0.1.0 drew.
  assert.equal(await pictureOf("generator"), readFileSync(old("classes", "generator.png")));
  assert.equal(await pictureOf("teacher", [["steps", "3"]]), readFileSync(old("classes", "teacher.png")));
  const { code, stderr } = await onestep("sample", old("classes"), "--label", "3", ...reference);
  assert.is(code, 2);
  assert.match(stderr, /Cannot sample class 3: classes are 0 to 2/);
});

test("sample draws from the weights of a run without classes", async () => {
  const words = ["--n", "9", "--out", path("ring.png")];
  assert.match(await done("sample", old("ring"), ...words), /9 samples of the generator, NFE 1$/m);
});

test("train --resume with more --steps ends where 0.1.0 would have ended", async () => {
  const folder = copied("ring");
  await done("train", "--resume", "--out", folder, "--steps", "12");
  for (const role of ["teacher", "generator", "critic"])
    assert.equal(weights(folder, `${role}.safetensors`), weights(old("ring-later"), `${role}.safetensors`), role);
  const { method, process, train } = configOf(folder);
  assert.is(train.steps, 12);
  assert.equal(method.ttur, { critic: 3, generator: 1, exclusive: false });
  assert.is(method.criticImages, "shared");
  assert.equal(method.teacher, { steps: 6, batch: 16 });
  assert.equal([process, train.ttur, train.teacher, train.criticImages], Array(4).fill(undefined));
  // Losses of both sessions, in the spelling of each.
  const log = readFileSync(join(folder, "events.jsonl"), "utf8");
  assert.match(log, /"type":"critic\/updated"/);
  assert.match(log, /"type":"role\/updated".*"role":"critic"/);
  const plot = readFileSync(join(folder, "losses.svg"), "utf8");
  for (const name of ["edm-denoising", "fake-score"]) assert.match(plot, new RegExp(name));
});

test("train --resume of a finished run judges it again, and takes nothing from its folder", async () => {
  const again = path("judged");
  cpSync(old("ring"), again, { recursive: true });
  await done("train", "--resume", "--out", again);
  for (const name of ["done-6.safetensors", "manifest.msgpack"])
    assert.equal(readFileSync(join(again, "checkpoint", name)), readFileSync(old("ring", "checkpoint", name)), name);
  for (const role of ["teacher", "generator", "critic"])
    assert.equal(weights(again, `${role}.safetensors`), weights(old("ring"), `${role}.safetensors`), role);
});

test("a run that was stopped while the teacher learned goes on there", async () => {
  const folder = copied("stopped");
  await done("train", "--resume", "--out", folder, "--teacher-steps", "340");
  for (const role of ["teacher", "generator"])
    assert.equal(weights(folder, `${role}.safetensors`), weights(old("stopped-later"), `${role}.safetensors`), role);
});

test("its weights start a run: --teacher and start.generator, start.critic", async () => {
  const [teacher, generator, critic] = ["teacher", "generator", "critic"].map((role) =>
    old("ring", `${role}.safetensors`),
  );
  const words = ["train", old("ring", "config.json"), "--teacher", teacher, "--steps", "0"];
  const starts = ["--set", `start.generator=${generator}`, "--set", `start.critic=${critic}`];
  await done(...words, ...starts, "--out", path("started"));
  for (const role of ["teacher", "generator", "critic"])
    assert.equal(weights(path("started"), `${role}.safetensors`), weights(old("ring"), `${role}.safetensors`), role);
  const { method, start } = configOf(path("started"));
  assert.is(method.teacher.steps, 0, "a teacher with weights is not trained");
  // Whole paths: the run may go on from another folder.
  assert.equal(start, { teacher: resolve(teacher), generator: resolve(generator), critic: resolve(critic) });
});

test("its config repeats its run; settings may have the names of both versions", async () => {
  const words = ["train", old("ring", "config.json"), "--out", path("again")];
  await done(...words);
  for (const role of ["teacher", "generator", "critic"])
    assert.equal(weights(path("again"), `${role}.safetensors`), weights(old("ring"), `${role}.safetensors`), role);
  const quick = ["--force", "--steps", "2", "--teacher-steps", "1"];
  for (const [before, after] of [
    ["train.ttur.critic=2", "train.teacher.batch=4"],
    ["method.ttur.critic=2", "method.teacher.batch=4"],
  ]) {
    await done(...words, ...quick, "--set", before, "--set", after);
    const { method } = configOf(path("again"));
    assert.equal(method.ttur, { critic: 2, generator: 1, exclusive: false }, before);
    assert.equal(method.teacher, { steps: 1, batch: 4 }, after);
  }
});

test("a noise process called `schedule`: the same pictures, and the pairs stay those of their teacher", async () => {
  const [picture, pairs] = [path("flow.png"), path("pairs.safetensors")];
  await done("sample", old("flow"), "--n", "9", "--seed", "5", "--out", picture);
  assert.equal(readFileSync(picture), readFileSync(old("flow", "generator.png")));
  await done("pairs", old("flow"), "--n", "40", "--steps", "4", "--out", pairs);
  const drawn = decodeSafetensors(readFileSync(pairs));
  const before = decodeSafetensors(readFileSync(old("flow", "pairs.safetensors")));
  // Samplers start where the process does: from (1 + σ)·ε at σ = 80 where 0.1.0 took σ·ε; the network is hardly trained.
  assert.equal(drawn.tensors.z.data, before.tensors.z.data);
  const [y, known] = [drawn, before].map(({ tensors }) => toFloat32(tensors.y));
  const apart = known.reduce((sum, value, i) => sum + Math.abs(y[i] - value), 0) / known.length;
  assert.ok(apart < 0.1, `samples lie ${apart} apart on average, in data of deviation 0.7`);
  const [now, then] = [drawn, before].map(({ metadata }) => JSON.parse(metadata!["onestep-pairs"]));
  assert.equal([now.teacher, now.nfe], [then.teacher, then.nfe]);
  const words = ["train", old("flow", "config.json"), "--steps", "2", "--out", path("regressed")];
  const teacher = ["--teacher", old("flow", "teacher.safetensors")];
  const loss = ["--set", `losses.regression.pairs=${old("flow", "pairs.safetensors")}`];
  assert.match(await done(...words, ...teacher, ...loss), /regression \d/);
});

test("the section `schedule` and the short form of the ratio are read", async () => {
  const config = configOf(old("ring"));
  const { ttur: _, ...train } = config.train;
  const written = {
    ...config,
    schedule: { use: "rectified-flow", shift: 3 },
    generator: { use: "few-step", timesteps: [998] },
    train: { ...train, criticStepsPerGeneratorStep: 2, steps: 2 },
  };
  writeFileSync(path("flow.json"), JSON.stringify(written));
  await done("train", path("flow.json"), "--out", path("flow"));
  const { process, method } = configOf(path("flow"));
  assert.equal([process.use, process.shift], ["rectified-flow", 3]);
  assert.is(method.ttur.critic, 2);
});

test.run();
