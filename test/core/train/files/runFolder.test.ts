import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type RunFolder, runFolder } from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { tiny } from "../support.ts";

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
    "out/checkpoint/manifest.msgpack": "old",
    "out/generator.safetensors": "old",
    "out/averages/generator-slow.safetensors": "old",
    "out/student.safetensors": "mine",
    "out/losses.svg": "old",
    "out/report.json": "old",
    "out/notes.txt": "mine",
  });
  await runFolder(files, "out").begin(tiny, ["teacher", "generator"]);
  assert.equal([...files.contents.keys()].sort(), ["out/config.json", "out/notes.txt", "out/student.safetensors"]);
  const config = new TextDecoder().decode(files.contents.get("out/config.json"));
  assert.equal(JSON.parse(config), tiny);
});

test("writeWeights: averages that are not served go to a folder of their own", async () => {
  const files = memoryFiles();
  const folder = runFolder(files, "out");
  await folder.writeWeights("generator", Uint8Array.of(1));
  await folder.writeWeights("generator", Uint8Array.of(2), "slow");
  assert.equal([...(await files.read("out/generator.safetensors"))], [1]);
  assert.equal([...(await files.read("out/averages/generator-slow.safetensors"))], [2]);
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
