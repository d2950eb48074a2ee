import { existsSync, readdirSync, readFileSync } from "node:fs";
import { decode } from "fast-png";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../backends/host/files.ts";
import { writeTinyModel } from "../../../examples/tiny-models/write.ts";
import { onestep, scratch, start } from "./program.ts";

const test = suite("examples/cli/sample --model");
const { path, remove } = scratch();
test.after(remove);
await writeTinyModel(files, path("sd15"), { kind: "sd15" });
const model = ["--model", path("sd15"), "--device", "wasm"];
const cat = [...model, "--prompt", "a cat"];

/** What `onestep` wrote into a picture. */
function settingsOf(file: string): Record<string, unknown> {
  const bytes = readFileSync(file);
  const at = bytes.indexOf("iTXtonestep\0");
  return JSON.parse(bytes.subarray(at + 16, at + 4 + bytes.readUInt32BE(at - 4)).toString());
}

test("a picture for each sample goes to a folder, with all that made it; other files there stay", async () => {
  const out = path("pictures/");
  const wish = [
    "--n",
    "2",
    "--seed",
    "5",
    "--steps",
    "2",
    "--size",
    "64x48",
    "--negative",
    "ein Hund",
    "--guidance",
    "3",
  ];
  const { code, stdout, stderr } = await onestep("sample", ...cat, ...wish, "--out", out);
  assert.is(code, 0, stderr);
  assert.match(stdout, /2 pictures of 64 x 48, as model, pndm, NFE 3$/m);
  assert.equal(readdirSync(out), ["5-0.png", "5-1.png"]);
  const { width, height, channels } = decode(readFileSync(`${out}5-1.png`));
  assert.equal([width, height, channels], [64, 48, 3]);
  const { prompt, negative, seed, guidance, picture, sampler } = settingsOf(`${out}5-1.png`);
  assert.equal(
    { prompt, negative, seed, guidance, picture },
    {
      prompt: "a cat",
      negative: "ein Hund",
      seed: 5,
      guidance: 3,
      picture: 1,
    },
  );
  assert.is((sampler as { steps: number }).steps, 2);
  const again = await onestep("sample", ...cat, ...wish, "--out", out);
  assert.is(again.code, 1);
  assert.match(again.stderr, /5-0\.png: it is there already/);
});

test("Ctrl-C ends the drawing with 130, and no file is written", async () => {
  const out = path("never.png");
  const { child, ended } = await start(["sample", ...cat, "--steps", "900", "--out", out]);
  await new Promise<void>((heard) => child.stderr?.on("data", (text) => /drawing/.test(String(text)) && heard()));
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  assert.is(code, 130, stderr);
  assert.match(stderr, /nothing is written/);
  assert.not.ok(existsSync(out));
});

test("flags of models and of runs are told apart; a size that is none is refused", async () => {
  for (const [words, says] of [
    [["sample", path("sd15"), "--prompt", "a cat"], /--prompt is given without a --model/],
    [
      ["sample", ...cat, "--out", path("cat.jpg")],
      /Cannot write .*cat\.jpg: pictures are PNG files, and its name ends in \.jpg\nfix: .*--out .*cat\.png/,
    ],
    [
      ["sample", ...cat, "--size", "big"],
      /Cannot use --size big: expected width and height in pixels, such as 512x512/,
    ],
  ] as const) {
    const { code, stderr } = await onestep(...words);
    assert.is(code, 2);
    assert.match(stderr, says);
    assert.is(stderr.trim().split("\n").length, 2);
  }
});

test("a path through a file is refused as one where nothing is, by every command that is told one", async () => {
  const file = path("sd15/model_index.json");
  for (const [words, says] of [
    [["sample", ...cat, "--out", `${file}/a.png`], /Cannot write .*a\.png: there is no folder/],
    [["inspect", `${file}/a`], /Cannot inspect .*there is no such file or folder/],
    [["convert", path("sd15"), `${file}/a/b`], /Cannot write .*b: there is no folder/],
  ] as const) {
    const { code, stderr } = await onestep(...words);
    assert.is(code, 1);
    assert.match(stderr, says);
    assert.is(stderr.trim().split("\n").length, 2, stderr);
  }
});

test.run();
