import { suite } from "uvu";
import * as assert from "uvu/assert";
import { classLabel } from "../../../../core/interfaces/mod.ts";
import { encodeSafetensors } from "../../../../core/io/safetensors.ts";
import { decodeWeights, encodeWeights, type WeightsInfo } from "../../../../core/train/mod.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { tiny } from "../support.ts";

const test = suite("core/train/weightsFile");

const info: WeightsInfo = {
  role: "generator",
  data: { sample: [3, 8, 8], condition: classLabel(10), sigmaData: 0.5 },
  config: tiny,
};
const tensors = {
  "net.0.weight": { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  scale: { shape: [], data: Float32Array.of(7) },
};

test("encodeWeights: decodeWeights gives back tensors and manifest", () => {
  const decoded = decodeWeights(encodeWeights(tensors, info), "g.safetensors");
  assert.equal(decoded.info, info);
  assert.equal(decoded.tensors, tensors);
  const staged = { ...info, stage: "round 2" };
  assert.equal(decodeWeights(encodeWeights(tensors, staged), "g").info, staged);
});

test("decodeWeights: every role, and every kind of condition", () => {
  const condition = {
    ...classLabel(2, ["circle", "square"]),
    image: { shape: [1, 4, 4], dtype: "f32", empty: "zero" },
    scale: { shape: [], dtype: "f32" },
  } as const;
  const given = { ...info, role: "fast student", data: { ...info.data, condition } };
  assert.equal(decodeWeights(encodeWeights(tensors, given), "s").info, given);
});

test("decodeWeights: half-precision tensors arrive as float32", () => {
  const bytes = encodeSafetensors(
    { w: { dtype: "F16", shape: [1], data: Uint16Array.of(0x3c00) } },
    { onestep: JSON.stringify(info) },
  );
  assert.equal([...decodeWeights(bytes, "g").tensors.w.data], [1]);
});

test("decodeWeights: refuses weights of others, by file", () => {
  const error = thrown(() => decodeWeights(encodeSafetensors({}), "x.safetensors"));
  assert.is(error.code, "E_CHECKPOINT");
  assert.match(error.message, /^Cannot sample from x.safetensors: its header has no onestep manifest/);
});

test("decodeWeights: refuses damaged and hostile manifests", () => {
  const wrong: unknown[] = [
    null,
    5,
    [],
    "text",
    {},
    { ...info, role: 3 },
    { ...info, data: { ...info.data, condition: { label: { ...classLabel(2).label, names: ["one"] } } } },
    { ...info, data: undefined },
    { ...info, data: { ...info.data, sample: [3, -8] } },
    { ...info, data: { ...info.data, sample: "33" } },
    { ...info, data: { ...info.data, condition: null } },
    ...[
      "text",
      { shape: [-1], dtype: "f32" },
      { shape: 3, dtype: "f32" },
      { shape: [], dtype: "f64" },
      { shape: [], dtype: "i32", classes: -1 },
      { shape: [], dtype: "f32", empty: "none" },
    ].map((entry) => ({ ...info, data: { ...info.data, condition: { entry } } })),
    { ...info, data: { ...info.data, sigmaData: 0 } },
    { ...info, data: { ...info.data, sigmaData: "1" } },
    { ...info, config: null },
  ];
  for (const manifest of [...wrong.map((value) => JSON.stringify(value)), "{", ""]) {
    const bytes = encodeSafetensors({}, { onestep: manifest });
    assert.is(thrown(() => decodeWeights(bytes, "x")).code, "E_CHECKPOINT", manifest);
  }
  const bytes = encodeWeights(tensors, info);
  for (const length of [0, 7, 40, bytes.length - 1])
    assert.is(thrown(() => decodeWeights(bytes.slice(0, length), "x")).code, "E_CHECKPOINT");
});

test("decodeWeights: refuses numbers that are not finite, of weights and of the data's shape", () => {
  const says = (scale: number, sigmaData: string) => {
    const given = { ...tensors, scale: { shape: [], data: Float32Array.of(scale) } };
    const stored = Object.fromEntries(
      Object.entries(given).map(([name, each]) => [name, { dtype: "F32" as const, ...each }]),
    );
    const manifest = JSON.stringify(info).replace('"sigmaData":0.5', `"sigmaData":${sigmaData}`);
    return thrown(() => decodeWeights(encodeSafetensors(stored, { onestep: manifest }), "g")).message;
  };
  assert.match(says(Number.NaN, "0.5"), /^Cannot sample from g: scale holds NaN or infinity/);
  assert.match(says(1, "1e999"), /its manifest lacks role, data or config/);
});

test.run();
