import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { TensorSource } from "../../../../core/io/mod.ts";
import { type RunFolder, readWeights, runFolder } from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { tiny, tinyConfig } from "../support.ts";

const test = suite("core/train/runFolder");

test("holdsRun: true for anything that begin would remove, false for the user's own files", async () => {
  assert.is(await runFolder(memoryFiles(), "out").holdsRun(), false);
  assert.is(await runFolder(memoryFiles({ "out/notes.txt": "" }), "out").holdsRun(), false);
  const roles = ["teacher", "critic"];
  const holds = (name: string, ...given: Parameters<RunFolder["holdsRun"]>) =>
    runFolder(memoryFiles({ [`out/${name}`]: "" }), "out").holdsRun(...given);
  for (const name of ["config.json", "events.jsonl", "samples/a.png", "averages/a-b.safetensors"])
    assert.is(await holds(name), true, name);
  for (const name of ["teacher.safetensors", "critic.safetensors"]) {
    assert.is(await holds(name, roles), true, name);
    assert.is(await holds(name, ["generator"]), false, `${name} is not of such a run`);
  }
});

test("begin: clears what an earlier run left, leaves other files, and writes the config", async () => {
  const files = memoryFiles({
    "out/config.json": "{}",
    "out/events.jsonl": "old",
    "out/samples/teacher-3.png": "old",
    "out/samples/own.wav": "mine",
    "out/checkpoint/2-distillation-5.safetensors": "old",
    "out/checkpoint/distillation-3.safetensors": "old",
    "out/losses.svg.12-abcd0123.tmp": "a draft",
    "out/checkpoint/manifest.msgpack": "old",
    "out/generator.safetensors": "old",
    "out/averages/generator-slow.safetensors": "old",
    "out/student.safetensors": "mine",
    "out/losses.svg": "old",
    "out/report.json": "old",
    "out/notes.txt": "mine",
  });
  await runFolder(files, "out").begin(tiny, ["teacher", "generator"]);
  assert.equal([...files.contents.keys()].sort(), [
    "out/config.json",
    "out/notes.txt",
    "out/run.json",
    "out/samples/own.wav",
    "out/student.safetensors",
  ]);
  const config = new TextDecoder().decode(files.contents.get("out/config.json"));
  assert.equal(JSON.parse(config), tiny);
});

test("isOurs: by the mark, or by a config as a run completes it", async () => {
  const isOurs = (files: Record<string, string>) => runFolder(memoryFiles(files), "out").isOurs();
  const { train: _, ...untrained } = tiny;
  assert.is(await isOurs({ "out/run.json": '{"program":"onestep"}' }), true);
  assert.is(await isOurs({ "out/config.json": JSON.stringify(tinyConfig().config) }), true);
  for (const config of [untrained, tiny, {}, [], { dataset: { use: "x" }, network: {} }])
    assert.is(await isOurs({ "out/config.json": JSON.stringify(config) }), false);
  for (const text of ["", "{", "null"]) {
    assert.is(await isOurs({ "out/config.json": text, "out/run.json": text }), false);
  }
  assert.is(await isOurs({ "out/samples/own.wav": "" }), false);
});

test("writeConfig: marks a folder that 0.1.0 has begun", async () => {
  const files = memoryFiles({ "out/config.json": JSON.stringify(tinyConfig().config) });
  await runFolder(files, "out").writeConfig(tiny);
  assert.equal([...files.contents.keys()].sort(), ["out/config.json", "out/run.json"]);
  assert.is(await runFolder(files, "out").isOurs(), true);
});

test("dataPath: where the data are is noted when a run begins, and when it goes on with others", async () => {
  const folder = runFolder(memoryFiles(), "out");
  assert.is(await folder.dataPath(), undefined);
  await folder.begin(tiny, [], "/data/digits");
  assert.is(await folder.dataPath(), "/data/digits");
  await folder.writeConfig(tiny);
  assert.is(await folder.dataPath(), "/data/digits", "nothing was said of data");
  await folder.writeConfig(tiny, "/data/moved");
  assert.is(await folder.dataPath(), "/data/moved");
  assert.is(await folder.isOurs(), true);
});

test("isFresh: until there is anything that it would be a loss to lose", async () => {
  const isFresh = (...names: string[]) =>
    runFolder(memoryFiles(Object.fromEntries(names.map((name) => [`out/${name}`, ""]))), "out").isFresh();
  const begun = ["run.json", "config.json", "events.jsonl", "checkpoint/1-teacher-0.safetensors.12-abcd.tmp"];
  assert.is(await isFresh(...begun), true);
  for (const made of ["checkpoint/1-teacher-0.safetensors", "teacher.safetensors", "samples/a-1.png", "report.json"])
    assert.is(await isFresh(...begun, made), false, made);
});

test("writeWeights: averages that are not served go to a folder of their own", async () => {
  const files = memoryFiles();
  const folder = runFolder(files, "out");
  const tensors = (value: number): TensorSource[] => [
    { name: "w", dtype: "F32", shape: [1], read: () => Float32Array.of(value) },
  ];
  const data = { sample: [2], condition: {}, sigmaData: 1 };
  const info = { role: "generator", data, config: tiny };
  await folder.writeWeights(tensors(1), info);
  await folder.writeWeights(tensors(2), info, "slow");
  const read = async (path: string) => [...(await readWeights(files, path)).tensors.w.data];
  assert.equal(await read("out/generator.safetensors"), [1]);
  assert.equal(await read("out/averages/generator-slow.safetensors"), [2]);
  const before = new Map(files.contents);
  const error = await folder.writeWeights(tensors(Number.NaN), info).catch((reason) => reason);
  assert.is(error.code, "E_DIVERGED");
  assert.equal(files.contents, before, "weights that are not finite replace none");
});

test("runFolder: touches nothing until asked to", async () => {
  const files = memoryFiles();
  const folder = runFolder(files, "out");
  assert.equal(
    [folder.checkpoint, folder.events, folder.samples, folder.weights("generator")],
    ["out/checkpoint", "out/events.jsonl", "out/samples", "out/generator.safetensors"],
  );
  assert.is(await files.exists("out"), false);
});

test.run();
