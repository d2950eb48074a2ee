import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readConfig } from "../../../examples/cli/configFile.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";

const test = suite("examples/cli/configFile");

const read = (text: string) => readConfig("x.yaml", memoryFiles({ "x.yaml": text }));
const says = async (text: string): Promise<string> => {
  const error = await read(text).catch((reason) => reason);
  assert.is(error.code, "E_CONFIG", text.slice(0, 100));
  return error.message;
};

test("a key that is there twice is named with its place, at any depth", async () => {
  assert.is(
    await says("train:\n  steps: 1\n  batch: 2\n  steps: 3\n"),
    'Cannot read x.yaml, line 4, column 3: "steps" is there twice, should be there once',
  );
  assert.match(await says('{"train": {"steps": 1}, "train": {}}'), /column 25: "train" is there twice/);
  assert.ok(await read("dataset: {use: a}\nnetwork: {use: a}\n"), "in other mappings it may be");
});

test("a key that is no text is named with its place", async () => {
  assert.is(
    await says("a: 1\n[b]: 2\n"),
    "Cannot read x.yaml, line 2, column 1: a list or a mapping is no name, a text should be there",
  );
});

test("thousands of keys take no longer than they should", async () => {
  const keys = Array.from({ length: 5000 }, (_, i) => `a${i}: 1`).join(", ");
  const began = performance.now();
  await read(`train: {${keys}}`);
  assert.ok(performance.now() - began < 2000, `${performance.now() - began} ms`);
});

test("a file that is too large, too deep, or goes round in a circle", async () => {
  assert.match(await says("#".repeat(65_537)), /it has 65537 bytes, a config has at most 65536/);
  for (const text of ["train: &a {x: *a}", "train: &a [*a, *a]", `train: ${"[".repeat(3000)}`, `${"- ".repeat(3000)}a`])
    assert.match(await says(text), /its sections lie in each other without end$/);
  assert.match(await says(`a: ${"[".repeat(150)}${"]".repeat(150)}`), /without end$/);
});

test.run();
