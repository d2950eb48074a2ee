import { Packr } from "msgpackr";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { OnestepError } from "../../../../core/errors.ts";
import type { HostArray } from "../../../../core/interfaces/mod.ts";
import { encodeSafetensors, xxh32 } from "../../../../core/io/mod.ts";
import {
  listCheckpoints,
  openCheckpoint,
  pruneCheckpoints,
  type StateSource,
} from "../../../../core/train/files/checkpoint.ts";
import { loadCheckpoint, saveCheckpoint } from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { tiny } from "../support.ts";

const test = suite("core/train/checkpoint");

const stages = [
  { name: "teacher", steps: 4 },
  { name: "distillation", steps: 20 },
];
const manifest = {
  stage: "distillation",
  step: 12,
  stages,
  updates: { generator: 3, critic: 12 },
  weights: { "gan-generator": 0 },
  config: JSON.parse(JSON.stringify(tiny)),
};
const states: Record<string, HostArray> = {
  "generator.weights.0": Float32Array.of(1, -2.5, 3e-38),
  "generator.count.0": Int32Array.of(1, -2),
  "critic.weights.0": new Float32Array(0),
};
const sourcesOf = (given: Record<string, HostArray>): StateSource[] =>
  Object.entries(given).map(([name, data]) => {
    return { name, length: data.length, dtype: data instanceof Int32Array ? "i32" : "f32", read: async () => data };
  });
const FOLDER = "run/checkpoint";
const FILE = `${FOLDER}/2-distillation-12.safetensors`;
const MANIFEST = `${FOLDER}/manifest.msgpack`;

const save = (files: Files, over: Partial<typeof manifest> = {}, given = states) =>
  saveCheckpoint(files, FOLDER, { ...manifest, ...over }, sourcesOf(given));
const saved = async () => {
  const files = memoryFiles();
  await save(files);
  return files;
};
type Files = Parameters<typeof loadCheckpoint>[0];
const load = (files: Files) => loadCheckpoint(files, FOLDER);
const refused = async (files: Files, label = "") => {
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
  const { path, bytes } = await save(files);
  assert.is(path, FILE);
  const loaded = await load(files);
  assert.equal(loaded.manifest, { version: 2, ...manifest });
  assert.equal(loaded.states, states);
  assert.is(bytes, files.contents.get(FILE)!.length);
  assert.equal([...files.contents.keys()], [FILE]);
});

test("saveCheckpoint: a stage of any name, in a file of its own name", async () => {
  const files = memoryFiles();
  const stage = "../round 3: a/b";
  await save(files, { stage, stages: [{ name: stage, steps: 12 }] });
  assert.equal(await files.list(FOLDER), ["1--round-3-a-b-12.safetensors"]);
  assert.is((await load(files)).manifest.stage, stage);
});

test("saveCheckpoint: a run without parameters has one as well", async () => {
  const files = memoryFiles();
  await save(files, {}, {});
  assert.equal((await load(files)).states, {});
});

test("saveCheckpoint: one state is in memory at a time", async () => {
  const log: string[] = [];
  const files = memoryFiles();
  const slow = {
    ...files,
    write: async (_: string, content: Uint8Array | AsyncIterable<Uint8Array>) => {
      assert.not(content instanceof Uint8Array);
      for await (const part of content as AsyncIterable<Uint8Array>) log.push(`write ${part.length}`);
    },
  };
  const sources = ["a", "b"].map((name) => ({
    name,
    length: 2,
    read() {
      log.push(`read ${name}`);
      return new Float32Array(2);
    },
  }));
  await saveCheckpoint(slow, FOLDER, manifest, sources);
  assert.match(log[0], /^write \d+$/);
  assert.equal(log.slice(1), ["read a", "write 8", "read b", "write 8", "write 12"]);
});

test("saveCheckpoint: beyond 4 GiB, which is more than an array of Node 20 holds; and back", async () => {
  const size = 2 ** 25;
  const count = 33;
  const zeros = new Float32Array(size);
  // Keeps what is not zeros, and where it lies.
  const kept: [at: number, bytes: Uint8Array][] = [];
  let end = 0;
  const files: Files = {
    ...memoryFiles({ [FILE]: "" }),
    write: async (_, content) => {
      for await (const part of content as AsyncIterable<Uint8Array>) {
        if (part.length < 4 * size) kept.push([end, part.slice()]);
        end += part.length;
      }
    },
    size: async () => end,
    readRange: async (_, offset, length) => {
      const [at, bytes] = kept.find(([at, bytes]) => offset >= at && offset < at + bytes.length) ?? [0, undefined];
      return bytes ? bytes.slice(offset - at, offset - at + length) : new Uint8Array(zeros.buffer, 0, length);
    },
  };
  const sources = Array.from({ length: count }, (_, i) => ({ name: `w.${i}`, length: size, read: () => zeros }));
  const { bytes } = await saveCheckpoint(files, FOLDER, manifest, sources);
  assert.is(bytes, end);
  assert.ok(end > 2 ** 32);
  const { states } = await openCheckpoint(files, FOLDER, FILE);
  assert.is(Object.keys(states).length, count);
  assert.is((await states[`w.${count - 1}`].read()).length, size);
  zeros[77] = 1;
  const error = await states["w.32"].read().catch((reason) => reason);
  assert.match(error.message, /w.32 is not what was written, the file is damaged$/);
});

test("saveCheckpoint: numbers that are not finite are refused, and what was there stays", async () => {
  for (const wrong of [Number.NaN, Infinity, -Infinity]) {
    const files = await saved();
    const before = new Map(files.contents);
    const error = await save(files, {}, { ...states, "critic.weights.0": Float32Array.of(1, wrong) }).catch((e) => e);
    assert.is(error.code, "E_DIVERGED");
    assert.match(error.message, /at step 12: critic.weights.0 holds NaN or infinity/);
    assert.equal(files.contents, before);
  }
});

test("loadCheckpoint: no bit can be flipped without being noticed", async () => {
  const files = await saved();
  const bytes = files.contents.get(FILE)!;
  for (let bit = 0; bit < bytes.length * 8; bit += 1 + (bit % 7)) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assert.match((await refused(files, `bit ${bit}`)).message, /2-distillation-12.safetensors: /);
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
  assert.equal((await load(files)).states, states);
});

test("loadCheckpoint: a file cut anywhere is refused", async () => {
  const files = await saved();
  const bytes = files.contents.get(FILE)!;
  for (let length = 0; length < bytes.length; length += 13) {
    files.contents.set(FILE, bytes.slice(0, length));
    await refused(files, `${length} bytes`);
  }
});

test("loadCheckpoint: the furthest sound one, by stage and then by step", async () => {
  const files = memoryFiles();
  for (const [stage, step] of [
    ["teacher", 4],
    ["distillation", 9],
    ["distillation", 12],
  ] as const)
    await save(files, { stage, step });
  assert.is((await load(files)).manifest.step, 12);
  files.contents.get(FILE)![300] ^= 1;
  assert.is((await load(files)).manifest.step, 9);
  files.contents.delete(`${FOLDER}/2-distillation-9.safetensors`);
  assert.is((await load(files)).manifest.stage, "teacher");
  files.contents.set(`${FOLDER}/1-teacher-4.safetensors`, new Uint8Array(3));
  const error = await refused(files);
  assert.match(error.message, /^Cannot resume from run\/checkpoint: none of its 2 checkpoints is sound: Cannot read/);
  assert.match(error.fix, /--force/);
});

test("pruneCheckpoints: keeps the last ones up to the newest, and nothing of 0.1.0 or of a course that was given up", async () => {
  const files = memoryFiles();
  for (const step of [1, 2, 3, 10, 19]) await save(files, { step });
  for (const name of ["manifest.msgpack", "distillation-9.safetensors", "notes.txt"])
    await files.write(`${FOLDER}/${name}`, Uint8Array.of(1));
  await pruneCheckpoints(files, FOLDER, `${FOLDER}/2-distillation-10.safetensors`, 3);
  const kept = [2, 3, 10].map((step) => `2-distillation-${step}.safetensors`);
  assert.equal(await files.list(FOLDER), [...kept, "notes.txt"].sort());
  await pruneCheckpoints(files, FOLDER, `${FOLDER}/2-distillation-10.safetensors`, 1);
  assert.equal(await files.list(FOLDER), ["2-distillation-10.safetensors", "notes.txt"]);
});

test("pruneCheckpoints: a crash at any removal leaves the newest, and the next one cleans up", async () => {
  const newest = `${FOLDER}/2-distillation-5.safetensors`;
  for (const fatal of [1, 2, 3, 4]) {
    const files = await ofVersion1();
    for (const step of [1, 2, 5]) await save(files, { step });
    let calls = 0;
    const dying = {
      ...files,
      remove: async (path: string) => {
        if (++calls === fatal) throw new Error("power cut");
        await files.remove(path);
      },
    };
    assert.is(await pruneCheckpoints(dying, FOLDER, newest, 1).catch((error) => error.message), "power cut");
    assert.is((await load(files)).manifest.step, 5);
    await pruneCheckpoints(files, FOLDER, newest, 1);
    assert.equal(await listCheckpoints(files, FOLDER), [newest]);
    assert.is((await files.list(FOLDER)).length, 1);
  }
});

test("loadCheckpoint: says when there is none", async () => {
  const error = await refused(memoryFiles());
  assert.is(error.message, "Cannot resume from run/checkpoint: there is no checkpoint");
});

test("loadCheckpoint: refuses manifests with fields of another kind, though their checksum is right", async () => {
  const wrong: unknown[] = [
    { version: 3 },
    { stage: 3 },
    ...[-1, 0.5, "3", null, 2 ** 60, 21].map((step) => ({ step })),
    ...[null, 3, { generator: -1 }, { generator: "1" }].map((updates) => ({ updates })),
    ...[null, { gan: null }, { gan: -1 }, { gan: "1" }].map((weights) => ({ weights })),
    ...[null, "config", []].map((config) => ({ config })),
    ...[null, {}, [], [3], [{ name: "distillation" }], [{ name: "other", steps: 99 }]].map((stages) => ({ stages })),
  ];
  for (const fields of wrong) {
    const files = memoryFiles({ [FILE]: forged({ version: 2, ...manifest, ...(fields as object) }) });
    assert.match((await refused(files, JSON.stringify(fields))).message, /not those of a manifest, version 2$/);
  }
  const good = memoryFiles({ [FILE]: forged({ version: 2, ...manifest }) });
  assert.equal((await load(good)).states, {});
});

/** A file of no states whose checksum fits its header. */
function forged(fields: unknown): Uint8Array {
  const encode = (sum: number) =>
    encodeSafetensors(
      { checksums: { dtype: "I32", shape: [1], data: Int32Array.of(sum) } },
      { "onestep-checkpoint": JSON.stringify(fields) },
    );
  return encode(xxh32(encode(0).slice(0, -4)));
}

// What 0.1.0 wrote: a manifest in msgpack that names a file of tensors.
const packr = new Packr({ useRecords: false });
const OLD = "distillation-12.safetensors";
const version1 = {
  version: 1,
  stage: "distillation",
  step: 12,
  updates: manifest.updates,
  weights: manifest.weights,
  config: manifest.config,
};
async function ofVersion1(given = states) {
  const tensors = Object.entries(given).map(([name, data]) => {
    return [name, { dtype: data instanceof Int32Array ? "I32" : "F32", shape: [data.length], data }];
  });
  return memoryFiles({
    [MANIFEST]: new Uint8Array(packr.pack({ ...version1, tensors: OLD })),
    [`${FOLDER}/${OLD}`]: encodeSafetensors(Object.fromEntries(tensors)),
  });
}

test("loadCheckpoint: those of 0.1.0, unless there is one of today", async () => {
  const files = await ofVersion1();
  assert.equal(await load(files), { manifest: version1, states });
  await save(files, { stage: "teacher", step: 1 });
  assert.is((await load(files)).manifest.version, 2);
});

test("pruneCheckpoints: nothing goes while the newest is of 0.1.0, or is not there", async () => {
  const files = await ofVersion1();
  const before = new Map(files.contents);
  for (const newest of [MANIFEST, FILE]) await pruneCheckpoints(files, FOLDER, newest, 1);
  assert.equal(files.contents, before);
});

test("loadCheckpoint: refuses a manifest of 0.1.0 cut anywhere", async () => {
  const files = await ofVersion1();
  const bytes = files.contents.get(MANIFEST)!;
  for (let length = 0; length < bytes.length; length += 13) {
    files.contents.set(MANIFEST, bytes.slice(0, length));
    await refused(files, `${length} bytes`);
  }
});

test("loadCheckpoint: refuses missing and damaged tensors of 0.1.0", async () => {
  const files = await ofVersion1();
  const path = `${FOLDER}/${OLD}`;
  const bytes = files.contents.get(path)!;
  files.contents.set(path, bytes.slice(0, -1));
  await refused(files, "cut");
  files.contents.delete(path);
  assert.match((await refused(files)).message, /distillation-12.safetensors: it is not there/);
});

test("loadCheckpoint: refuses manifests of 0.1.0 with fields of another kind", async () => {
  const files = await ofVersion1();
  const good = { ...version1, tensors: OLD };
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
  for (const value of wrong) {
    files.contents.set(MANIFEST, new Uint8Array(packr.pack(value)));
    await refused(files, JSON.stringify(value));
  }
});

test("loadCheckpoint: refuses hostile MessagePack quickly, and no prototype is touched", async () => {
  const files = await ofVersion1();
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

test("loadCheckpoint: refuses states of 0.1.0 that are not finite, and values that only MessagePack has", async () => {
  const files = await ofVersion1({ "generator.weights.0": Float32Array.of(1, Number.NaN) });
  assert.match((await refused(files)).message, /generator\.weights\.0 holds NaN or infinity/);
  for (const config of [new Date(), 2n ** 60n, { a: [new Date()] }]) {
    await files.write(
      MANIFEST,
      new Uint8Array(new Packr({ useRecords: false }).pack({ ...version1, tensors: OLD, config })),
    );
    assert.match((await refused(files)).message, /it is not a manifest/);
  }
});

test.run();
