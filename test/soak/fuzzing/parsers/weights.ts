/** Readers of weights, pairs, texts and features, all of them safetensors files. */

import type { Role } from "../../../../core/interfaces/mod.ts";
import { decodePairs } from "../../../../core/io/mod.ts";
import { decodeSafetensors, type StoredTensor, toFloat32 } from "../../../../core/io/safetensors.ts";
import { readSafetensors } from "../../../../core/io/safetensorsFile.ts";
import { frozenWeights, layoutOf, readParameters, type Scope } from "../../../../core/nn/mod.ts";
import { OpenedWeights, readStartFiles, readStartWeights } from "../../../../core/train/files/startWeights.ts";
import { decodeWeights } from "../../../../core/train/files/weightsFile.ts";
import type { Player } from "../../../../core/train/update/player.ts";
import { readPrompts } from "../../../../examples/cli/prompts.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import type { Draw } from "../draw.ts";
import { expect, finite } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { DTYPES, safetensorsBytes, type WantedTensor } from "../safetensorsBytes.ts";

const anyTensors = (draw: Draw): WantedTensor[] => {
  const made = draw.list(5, (i) => ({
    name: draw.text([`layer.${i}.weight`, `w${i}`], 0.1),
    dtype: draw.pick(DTYPES),
    shape: draw.list(4, () => draw.between(0, 3)),
  }));
  return made.filter(({ name }, i) => made.findIndex((each) => each.name === name) === i);
};

function checkTensors(tensors: Readonly<Record<string, StoredTensor>>): void {
  expect(Object.getPrototypeOf(tensors) === null, "the record of tensors has a prototype");
  for (const [name, { shape, data }] of Object.entries(tensors))
    expect(shape.reduce((count, size) => count * size, 1) === data.length, `${name} has another size than its shape`);
}

const safetensors: FuzzedParser = {
  name: "safetensors",
  factor: 2,
  make(draw) {
    const metadata = draw.chance(0.5) ? { [draw.text(["format"])]: draw.text(["pt"]) } : {};
    const bytes = safetensorsBytes(draw, anyTensors(draw), { metadata, soundness: 0.2 });
    return { size: bytes.length, run: () => checkTensors(decodeSafetensors(bytes, "x.safetensors").tensors) };
  },
};

const safetensorsFile: FuzzedParser = {
  name: "safetensors, tensor by tensor",
  factor: 4,
  make(draw) {
    const bytes = safetensorsBytes(draw, anyTensors(draw), { soundness: 0.2 });
    const files = memoryFiles({ x: bytes });
    return { size: bytes.length, run: async () => checkTensors((await readSafetensors(files, "x")).tensors) };
  },
};

/** What a weights file says about itself, with faults. */
function manifestOfWeights(draw: Draw): string {
  const keep = draw.pick([1, 0.95, 0.9]);
  const label = draw.object({ shape: "[]", dtype: '"i32"', classes: "10", empty: '"absent"' }, keep);
  const data = {
    sample: "[2]",
    condition: draw.chance(0.5)
      ? "{}"
      : draw.object({ label, text: draw.object({ shape: "[4,8]", dtype: '"f32"' }, keep) }, keep),
    sigmaData: draw.chance(keep) ? "0.5" : draw.json(0),
    classes: draw.chance(0.2) ? draw.json(0) : undefined,
    text: draw.chance(0.1) ? draw.json(2, ["tokens", "width", "pooled", "unconditional"]) : undefined,
  };
  const config = draw.object(
    {
      network: '{"use":"mlp"}',
      method: draw.chance(0.7) ? '{"use":"dmd2"}' : undefined,
      train: draw.chance(0.3) ? draw.json(3, ["ttur", "teacher", "criticImages"]) : undefined,
      schedule: draw.chance(0.2) ? draw.json(2) : undefined,
      sampler: draw.chance(0.3) ? draw.json(2, ["use", "start", "schedule"]) : undefined,
    },
    keep,
  );
  return draw.object({ role: '"generator"', stage: '"distillation"', data: draw.object(data, keep), config }, keep);
}

const weights: FuzzedParser = {
  name: "weights of a run",
  factor: 4,
  make(draw) {
    const tensors: WantedTensor[] = [{ name: "w", dtype: draw.pick(["F32", "F16", "BF16"]), shape: [2, 3] }];
    const metadata = { onestep: draw.chance(0.97) ? manifestOfWeights(draw) : draw.json(1) };
    const bytes = safetensorsBytes(draw, tensors, { metadata, soundness: 0.8 });
    return {
      size: bytes.length,
      run() {
        const { tensors, info } = decodeWeights(bytes, "x.safetensors");
        for (const { data } of Object.values(tensors)) finite(data, "weights");
        finite([info.data.sigmaData, ...info.data.sample], "the shape of the data");
      },
    };
  },
};

/** Parameters as a small network has them; with the adapters of another. */
const zero = { kind: "constant", value: 0 } as const;
const declare = (scope: Scope) => {
  scope.at("model").parameter("w", [2, 3], zero);
  scope.at("model").parameter("b", [3], zero);
};
const layout = layoutOf(declare);
const player = {
  name: "generator",
  role: { inherits: undefined } as unknown as Role<unknown>,
  layout,
} as Player<unknown>;

const startWeights: FuzzedParser = {
  name: "weights to start from",
  factor: 8,
  make(draw) {
    const prefix = draw.pick(["model.", "", "module.", "base_model.model."]);
    const names = draw.pick([
      ["w", "b"],
      ["w", "b", "w.lora_A.weight", "w.lora_B.weight"],
      ["lora_unet_w.lora_down.weight", "lora_unet_w.alpha"],
    ]);
    const wanted = names.map((name): WantedTensor => {
      const shape = name === "w" ? [2, 3] : name === "b" ? [3] : [draw.between(0, 3), 3];
      return { name: prefix + name, dtype: draw.pick(["F32", "F16", "BF16", "F64"]), shape };
    });
    const bytes = safetensorsBytes(draw, wanted, { soundness: 0.5 });
    const files = memoryFiles({ "x.safetensors": bytes });
    const atOnce = draw.pick([["generator"], []]);
    return {
      size: bytes.length,
      async run() {
        const start = readStartFiles({ generator: "x.safetensors" });
        const read = await readStartWeights(start, {
          players: { generator: player },
          begins: {},
          seed: 0,
          files,
          atOnce,
        });
        const given = read.generator;
        if (given instanceof OpenedWeights) {
          for await (const { values } of readParameters(layout, given.sources, "start the generator"))
            finite(values, "weights");
        } else for (const { data } of Object.values(given)) finite(data, "weights");
      },
    };
  },
};

const features: FuzzedParser = {
  name: "weights of a feature network",
  factor: 8,
  make(draw) {
    const bytes = safetensorsBytes(draw, [
      { name: "model.w", dtype: draw.pick(DTYPES), shape: [2, 3] },
      { name: "model.b", dtype: "F32", shape: [3] },
    ]);
    return {
      size: bytes.length,
      run() {
        const { tensors } = decodeSafetensors(bytes, "x");
        const numbers = Object.entries(tensors).map(([name, each]) => [
          name,
          { shape: each.shape, data: toFloat32(each) },
        ]);
        for (const values of frozenWeights("net", declare, Object.fromEntries(numbers), "x").arenas)
          finite(values, "weights");
      },
    };
  },
};

const pairs: FuzzedParser = {
  name: "pairs",
  factor: 4,
  make(draw) {
    const count = draw.between(0, 4);
    const shape = [count, ...draw.list(3, () => draw.between(1, 3))];
    const dtype = draw.pick(["F32", "F16", "BF16"] as const);
    const wanted: WantedTensor[] = [
      { name: "z", dtype, shape },
      { name: "y", dtype, shape },
      ...(draw.chance(0.5) ? [{ name: "label", dtype: "I32" as const, shape: [count] }] : []),
    ];
    const info = draw.object({ teacher: '"abc"', sampler: '{"use":"heun"}', seed: "0", nfe: "10" });
    const bytes = safetensorsBytes(draw, wanted, { metadata: { "onestep-pairs": info } });
    return {
      size: bytes.length,
      run() {
        const { pairs, info } = decodePairs(bytes, "pairs.safetensors");
        finite(pairs.z, "z");
        finite(pairs.y, "y");
        expect(typeof info.teacher === "string", "a teacher that is no text");
        expect(pairs.z.length === pairs.y.length && pairs.shape[0] > 0, "z and y differ");
        expect(!pairs.label || pairs.label.every((label) => label >= 0), "a negative class");
      },
    };
  },
};

const prompts: FuzzedParser = {
  name: "prompts",
  factor: 40,
  make(draw) {
    const rows = draw.between(0, 3);
    const wanted: WantedTensor[] = [
      { name: "text", dtype: draw.pick(DTYPES), shape: [rows, 2, 3] },
      { name: "pooled", dtype: "F32", shape: [draw.chance(0.9) ? rows : 1, 4] },
      { name: "unconditional.text", dtype: "F16", shape: [2, 3] },
    ];
    const bytes = safetensorsBytes(draw, wanted);
    const files = memoryFiles({ x: bytes });
    const shape = {
      text: { shape: [2, 3], dtype: "f32", empty: "stored" },
      pooled: { shape: [4], dtype: "f32", empty: "zero" },
    } as const;
    return {
      size: bytes.length,
      async run() {
        const { condition, empty } = await readPrompts("x", files, shape, 5);
        for (const values of [...Object.values(condition), ...Object.values(empty)]) finite(values, "texts");
        expect(condition.text.length === 30 && condition.pooled.length === 20, "conditions of another size");
      },
    };
  },
};

export const weightParsers: readonly FuzzedParser[] = [
  safetensors,
  safetensorsFile,
  weights,
  startWeights,
  features,
  pairs,
  prompts,
];
