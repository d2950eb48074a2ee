import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { scratch } from "../examples/cli/program.ts";
import { thrown } from "../helpers/thrown.ts";
import { GoldenSet } from "./goldenSet.ts";

const test = suite("conformance/goldenSet");
const { path, remove } = scratch();
test.after(remove);

const says = (manifest: unknown): string => {
  writeFileSync(path("manifest.json"), typeof manifest === "string" ? manifest : JSON.stringify(manifest));
  const { code, message } = thrown(() => new GoldenSet(path(".")));
  assert.is(code, "E_DATA");
  return message;
};

test("a manifest of another form is refused, and names no file outside its folder", () => {
  const sound = { file: "a.safetensors", group: "1-x", tensors: {} };
  assert.match(says("{"), /JSON/);
  for (const cases of [undefined, [], {}]) assert.match(says({ cases }), /it has no list of cases/);
  for (const wrong of [null, { ...sound, file: "../a.safetensors" }, { ...sound, group: 1 }, { ...sound, tensors: [] }])
    assert.match(says({ cases: [sound, wrong] }), /case 1 should have a file and a group/);
});

test("a pipe in the manifest's place is not waited for", () => {
  if (process.platform === "win32") return;
  remove();
  execFileSync("mkdir", [path(".")]);
  execFileSync("mkfifo", [path("manifest.json")]);
  assert.match(thrown(() => new GoldenSet(path("."))).message, /it is no plain file, one should be there/);
});

test.run();
