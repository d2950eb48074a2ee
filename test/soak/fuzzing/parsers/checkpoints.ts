import { Packr } from "msgpackr";
import { encodeHeader, type TensorEntry } from "../../../../core/io/safetensorsHeader.ts";
import { xxh32 } from "../../../../core/io/xxh32.ts";
import { joined } from "../../../../core/tensor/mod.ts";
import { loadCheckpoint } from "../../../../core/train/files/checkpoint.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { type Draw, utf8 } from "../draw.ts";
import { expect, finite, sizeOf } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { safetensorsBytes } from "../safetensorsBytes.ts";

/** A manifest as JSON, with faults. */
function manifest(draw: Draw, version: 1 | 2): string {
  const keep = draw.pick([1, 1, 1, 0.95]);
  const stage = (name: string) =>
    draw.object({ name: JSON.stringify(name), steps: keep === 1 ? "10" : draw.pick(["10", "0", "-1", "1e999"]) }, keep);
  return draw.object(
    {
      version: String(version),
      stage: draw.chance(keep) ? '"distillation"' : draw.pick(['"teacher"', '"done"', '""']),
      step: draw.chance(keep) ? draw.pick(["0", "5", "10"]) : draw.pick(["11", "1e999", "-1"]),
      stages: version === 2 ? `[${stage("teacher")},${stage("distillation")}]` : undefined,
      updates: draw.object({ generator: "5", critic: draw.chance(keep) ? "7" : draw.json(0) }, keep),
      weights: draw.object({ matching: "0.5" }, keep),
      config: draw.chance(keep) ? '{"network":{"use":"mlp"}}' : draw.json(3),
      tensors:
        version === 1
          ? draw.pick([
              '"states-5.safetensors"',
              draw.pick(['"states-5.safetensors"', '"../x.safetensors"', '"x.safetensors"']),
            ])
          : undefined,
    },
    keep,
  );
}

/** A checkpoint whose checksums are right, whatever its manifest says; or one that is damaged. */
function checkpointBytes(draw: Draw): Uint8Array {
  const odd = draw.pick([0, 0, 0.01]);
  const states = draw.list(3, (i) => ({
    name: draw.text([`generator.weights.${i}`], 0.05),
    data: Float32Array.from({ length: draw.below(6) }, () => draw.float(odd)),
  }));
  const named = states.filter(
    ({ name }, i) =>
      name !== "checksums" && !name.startsWith("__") && states.findIndex((each) => each.name === name) === i,
  );
  const entries: TensorEntry[] = named.map(({ name, data }) => ({ name, dtype: "F32", shape: [data.length] }));
  entries.push({ name: "checksums", dtype: "I32", shape: [1 + named.length] });
  const { head } = encodeHeader(entries, { "onestep-checkpoint": manifest(draw, 2) });
  const parts = named.map(({ data }) => new Uint8Array(data.buffer));
  const sums = Int32Array.from([xxh32(head), ...parts.map((part) => xxh32(part))]);
  return draw.damaged(joined([head, ...parts, new Uint8Array(sums.buffer)]), 0.85);
}

async function checkStates(files: ReturnType<typeof memoryFiles>): Promise<void> {
  const { manifest, states } = await loadCheckpoint(files, "c");
  expect(Number.isSafeInteger(manifest.step) && manifest.step >= 0, `step ${manifest.step} was taken`);
  finite(Object.values(manifest.updates), "updates");
  for (const values of Object.values(states)) finite(values, "a state");
}

const checkpoint: FuzzedParser = {
  name: "checkpoint",
  factor: 6,
  make(draw) {
    const names = [
      "2-distillation-5.safetensors",
      "1-teacher-10.safetensors",
      "2-distillation-99999999999999999999.safetensors",
      "notes.txt",
    ];
    const contents: Record<string, Uint8Array> = { [`c/${draw.pick(names)}`]: checkpointBytes(draw) };
    if (draw.chance(0.4)) contents[`c/${draw.pick(names)}`] = checkpointBytes(draw);
    const files = memoryFiles(contents);
    return { size: sizeOf(contents), run: () => checkStates(files) };
  },
};

const packr = new Packr({ useRecords: false });

/** MessagePack by its grammar: any type, with lengths that are not there. */
function msgpack(draw: Draw, depth = 4): Uint8Array {
  const big = () => draw.pick([0, 1, 3, 200, 65_535, 2 ** 31, 2 ** 32 - 1]);
  const sized = (tag: number, bytes: number, content: Uint8Array) => {
    const head = new Uint8Array(1 + bytes);
    head[0] = tag;
    const length = draw.chance(0.7) ? content.length : big();
    for (let i = 0; i < bytes; i++) head[1 + i] = Math.floor(length / 2 ** (8 * (bytes - 1 - i))) & 255;
    return joined([head, content]);
  };
  switch (draw.below(depth > 0 ? 12 : 7)) {
    case 0:
      return Uint8Array.of(draw.below(128));
    case 1:
      return Uint8Array.of(draw.pick([0xc0, 0xc1, 0xc2, 0xc3]));
    case 2:
      return sized(0xd9, 1, utf8(draw.text(["stage", "step", "config"])));
    case 3:
      return sized(draw.pick([0xda, 0xdb, 0xc5, 0xc6]), draw.pick([2, 4]), draw.bytes(draw.below(8)));
    case 4:
      return joined([Uint8Array.of(draw.pick([0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd3])), draw.bytes(8)]);
    case 5:
      // Extension types, among them those with which msgpackr writes records, errors, sets, patterns and pointers.
      return joined([
        Uint8Array.of(
          draw.pick([0xd4, 0xd5, 0xd6, 0xd7, 0xd8]),
          draw.pick([0x72, 0x65, 0x73, 0x78, 0x70, 0x69, 0x74, 0x62, 0xff, 0]),
        ),
        draw.bytes(8),
      ]);
    case 6:
      return sized(0xc7, 1, draw.bytes(draw.below(12)));
    case 7:
      return draw.chance(0.1)
        ? new Uint8Array(draw.pick([100, 20_000])).fill(0x91)
        : sized(0xdd, 4, msgpack(draw, depth - 1));
    case 8:
      return sized(0xdf, 4, joined([msgpack(draw, 0), msgpack(draw, depth - 1)]));
    default: {
      const members = draw.list(4, () =>
        joined([sized(0xd9, 1, utf8(draw.text(["stage", "step", "version", "config"]))), msgpack(draw, depth - 1)]),
      );
      return joined([Uint8Array.of(0x80 + (draw.chance(0.9) ? members.length : draw.below(16))), ...members]);
    }
  }
}

const oldCheckpoint: FuzzedParser = {
  name: "checkpoint of 0.1.0",
  factor: 12,
  make(draw) {
    const file = draw.chance(0.3) ? msgpack(draw) : draw.damaged(packed(parsed(manifest(draw, 1))), 0.7);
    const states = safetensorsBytes(draw, [{ name: "generator.weights.0", dtype: "F32", shape: [4] }], {
      soundness: 0.7,
    });
    const contents = { "c/manifest.msgpack": file, "c/states-5.safetensors": states };
    const files = memoryFiles(contents);
    return { size: sizeOf(contents), run: () => checkStates(files) };
  },
};

/** As 0.1.0 has packed it; nothing of a value that is too deep for that. */
function packed(value: unknown): Uint8Array {
  try {
    return new Uint8Array(packr.pack(value));
  } catch {
    return new Uint8Array(0);
  }
}

/** What the text stands for, or the text. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

export const checkpointParsers: readonly FuzzedParser[] = [checkpoint, oldCheckpoint];
