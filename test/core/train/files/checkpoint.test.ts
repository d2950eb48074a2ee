import { Packr } from "msgpackr";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { OnestepError } from "../../../../core/errors.ts";
import { loadCheckpoint, type Manifest, saveCheckpoint } from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { tiny } from "../support.ts";

const test = suite("core/train/checkpoint");

const manifest: Omit<Manifest, "version" | "tensors"> = {
  stage: "distillation",
  step: 12,
  updates: { generator: 3, critic: 12 },
  weights: { "gan-generator": 0 },
  config: JSON.parse(JSON.stringify(tiny)),
};
const states = {
  "generator.weights.0": Float32Array.of(1, -2.5, 3e-38),
  "generator.count.0": Int32Array.of(1, -2),
  "critic.weights.0": new Float32Array(0),
};
const MANIFEST = "run/checkpoint/manifest.msgpack";

const saved = async () => {
  const files = memoryFiles();
  await saveCheckpoint(files, "run/checkpoint", manifest, states);
  return files;
};
const load = (files: Parameters<typeof loadCheckpoint>[0]) => loadCheckpoint(files, "run/checkpoint");
const refused = async (files: Parameters<typeof loadCheckpoint>[0], label = "") => {
  const error = await load(files).then(
    () => undefined,
    (reason) => reason,
  );
  assert.instance(error, OnestepError, label);
  assert.is(error.code, "E_CHECKPOINT", label);
  return error as OnestepError;
};

test("saveCheckpoint: loadCheckpoint gives back manifest and states, bit for bit", async () => {
  const files = memoryFiles();
  const bytes = await saveCheckpoint(files, "run/checkpoint", manifest, states);
  const loaded = await load(files);
  assert.equal(loaded.manifest, {
    version: 1,
    ...manifest,
    tensors: "distillation-12.safetensors",
  });
  assert.equal(loaded.states, states);
  assert.is(
    bytes,
    [...files.contents.values()].reduce((sum, file) => sum + file.length, 0),
  );
});

test("saveCheckpoint: a stage of any name, in a file of its own name", async () => {
  const files = memoryFiles();
  const stage = "../round 3: a/b";
  await saveCheckpoint(files, "run/checkpoint", { ...manifest, stage }, states);
  assert.equal(await files.list("run/checkpoint"), ["-round-3-a-b-12.safetensors", "manifest.msgpack"]);
  assert.is((await load(files)).manifest.stage, stage);
});

test("saveCheckpoint: a run without parameters has one as well", async () => {
  const files = memoryFiles();
  await saveCheckpoint(files, "run/checkpoint", manifest, {});
  assert.equal((await load(files)).states, {});
});

test("saveCheckpoint: keeps the newest tensors only, and no drafts of a crash", async () => {
  const files = await saved();
  const draft = "run/checkpoint/distillation-9.safetensors.12-ab34cd.tmp";
  await files.write(draft, Uint8Array.of(1));
  await files.write("run/checkpoint/notes.txt", Uint8Array.of(1));
  await saveCheckpoint(files, "run/checkpoint", { ...manifest, step: 13 }, states);
  assert.equal(await files.list("run/checkpoint"), ["distillation-13.safetensors", "manifest.msgpack", "notes.txt"]);
});

test("saveCheckpoint: a crash at any write or removal leaves a checkpoint that loads", async () => {
  for (const fatal of [1, 2, 3]) {
    const files = await saved();
    let calls = 0;
    const crash = async () => {
      if (++calls === fatal) throw new Error("power cut");
    };
    const dying = {
      ...files,
      write: (path: string, bytes: Uint8Array) => crash().then(() => files.write(path, bytes)),
      remove: (path: string) => crash().then(() => files.remove(path)),
    };
    const newer = { ...states, "generator.weights.0": Float32Array.of(9, 9, 9) };
    const attempt = saveCheckpoint(dying, "run/checkpoint", { ...manifest, step: 13 }, newer);
    assert.is(await attempt.catch((error) => error.message), "power cut");
    const loaded = await load(files);
    const expected = fatal < 3 ? [12, states] : [13, newer];
    assert.equal([loaded.manifest.step, loaded.states], expected, `crash at call ${fatal}`);
    await saveCheckpoint(files, "run/checkpoint", { ...manifest, step: 14 }, newer);
    assert.is((await files.list("run/checkpoint")).length, 2, "the next one cleans up");
  }
});

test("loadCheckpoint: says when there is none", async () => {
  const error = await refused(memoryFiles());
  assert.match(error.message, /^Cannot resume from run\/checkpoint: there is no manifest.msgpack/);
});

test("loadCheckpoint: refuses a manifest cut anywhere", async () => {
  const files = await saved();
  const bytes = files.contents.get(MANIFEST)!;
  for (let length = 0; length < bytes.length; length += 13) {
    files.contents.set(MANIFEST, bytes.slice(0, length));
    await refused(files, `${length} bytes`);
  }
});

test("loadCheckpoint: refuses missing and damaged tensors", async () => {
  const files = await saved();
  const path = "run/checkpoint/distillation-12.safetensors";
  const bytes = files.contents.get(path)!;
  files.contents.set(path, bytes.slice(0, -1));
  await refused(files, "cut");
  files.contents.delete(path);
  assert.match((await refused(files)).message, /distillation-12.safetensors: it is not there/);
});

test("loadCheckpoint: refuses manifests with fields of another kind", async () => {
  const files = await saved();
  const good = { version: 1, ...manifest, tensors: "distillation-12.safetensors" };
  const wrong: unknown[] = [
    null,
    1,
    "text",
    [],
    {},
    { ...good, version: 2 },
    { ...good, stage: 3 },
    ...[-1, 0.5, "3", Number.NaN, 2 ** 60].map((step) => ({ ...good, step })),
    ...[null, 3, { generator: -1 }, { generator: "1" }].map((updates) => ({ ...good, updates })),
    ...[null, { gan: Number.NaN }, { gan: -1 }, { gan: "1" }].map((weights) => ({
      ...good,
      weights,
    })),
    ...[null, "config"].map((config) => ({ ...good, config })),
    ...["../../secret.safetensors", "/etc/x.safetensors", "a/b.safetensors", "x.txt", ""].map((tensors) => ({
      ...good,
      tensors,
    })),
  ];
  const packr = new Packr({ useRecords: false });
  for (const value of wrong) {
    files.contents.set(MANIFEST, new Uint8Array(packr.pack(value)));
    await refused(files, JSON.stringify(value));
  }
});

test("loadCheckpoint: refuses hostile MessagePack quickly, and no prototype is touched", async () => {
  const files = await saved();
  const text = (word: string) => [0xa0 + word.length, ...new TextEncoder().encode(word)];
  const hostile: Record<string, number[]> = {
    "4 G elements": [0xdd, 0xff, 0xff, 0xff, 0xff],
    "4 G entries": [0xdf, 0xff, 0xff, 0xff, 0xff],
    "4 GB of bytes": [0xc6, 0xff, 0xff, 0xff, 0xff],
    "deep nesting": new Array(200_000).fill(0x91),
    "a prototype": [0x81, ...text("__proto__"), 0x81, ...text("polluted"), 1],
    "a record": [0xd4, 0x72, 0x40, 0x91, ...text("__proto__"), 0x81, ...text("polluted"), 1],
  };
  for (const [label, bytes] of Object.entries(hostile)) {
    files.contents.set(MANIFEST, Uint8Array.from(bytes));
    const began = performance.now();
    await refused(files, label);
    assert.ok(performance.now() - began < 1000, `${label} took too long`);
    assert.is(({} as Record<string, unknown>).polluted, undefined, label);
  }
  files.contents.set(MANIFEST, new Uint8Array(16 * 2 ** 20 + 1));
  assert.match((await refused(files)).message, /expected at most 16777216$/);
});

test.run();
