import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodePairs, encodePairs } from "../../../core/io/mod.ts";
import { encodeSafetensors, type StoredTensor } from "../../../core/io/safetensors.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/train/pairsFile");

const info = { teacher: "ab12", sampler: { use: "heun", steps: 18 }, seed: 3, nfe: 35 };
const pairs = {
  shape: [3, 2],
  z: Float32Array.of(1, 2, 3, 4, 5, 6),
  y: Float32Array.of(6, 5, 4, 3, 2, 1),
};
const label = Int32Array.of(0, 1, 0);

test("encodePairs: decodePairs gives back pairs and manifest, with labels and without", () => {
  for (const each of [pairs, { ...pairs, label }])
    assert.equal(decodePairs(encodePairs(each, info), "p"), { pairs: each, info });
  const path = { levels: [5, 0.8], states: Float32Array.from({ length: 12 }, (_, i) => i) };
  assert.equal(decodePairs(encodePairs({ ...pairs, path }, info), "p").pairs, { ...pairs, path });
});

test("decodePairs: half-precision tensors arrive as float32", () => {
  const half: StoredTensor = { dtype: "F16", shape: [1, 1], data: Uint16Array.of(0x3c00) };
  const bytes = encodeSafetensors({ z: half, y: half }, { "onestep-pairs": JSON.stringify(info) });
  const { pairs } = decodePairs(bytes, "p");
  assert.equal([...pairs.z, ...pairs.y], [1, 1]);
});

test("decodePairs: refuses what is no file of pairs, and says why", () => {
  const f32 = (shape: number[]): StoredTensor => {
    return { dtype: "F32", shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
  };
  const refused = (tensors: Record<string, StoredTensor>, manifest: unknown = info) => {
    const bytes = encodeSafetensors(tensors, { "onestep-pairs": JSON.stringify(manifest) });
    const error = thrown(() => decodePairs(bytes, "p.safetensors"));
    assert.is(error.code, "E_PAIRS");
    assert.match(error.message, /^Cannot read pairs from p\.safetensors: /);
    return error.message;
  };
  const z = f32([3, 2]);
  const wrongLabel: StoredTensor = { dtype: "F32", shape: [3], data: new Float32Array(3) };
  assert.match(refused({ z, y: z }, null), /no manifest of pairs/);
  assert.match(refused({ z, y: z }, { teacher: 5 }), /no manifest of pairs/);
  assert.match(refused({ z }), /it holds z, expected z and y/);
  assert.match(refused({ z, y: f32([2, 3]) }), /z is \[3, 2\] and y \[2, 3\], expected one shape/);
  assert.match(refused({ z: f32([0, 2]), y: f32([0, 2]) }), /N > 0/);
  assert.match(refused({ z, y: z, label: wrongLabel }), /label is F32 \[3\], expected I32 \[3\]/);
  assert.match(
    refused({ z, y: z, path: f32([3, 1, 2]) }),
    /path is \[3, 1, 2\], expected \[3, 0, 2\], a state for each/,
  );
  assert.match(refused({ z, y: z, path: z }, { ...info, levels: [-1] }), /no manifest of pairs/);
  const cut = encodePairs(pairs, info).slice(0, -1);
  assert.is(thrown(() => decodePairs(cut, "p")).code, "E_CHECKPOINT");
});

test("decodePairs: refuses numbers that are not finite, and classes below 0", () => {
  const says = (each: Parameters<typeof encodePairs>[0]) =>
    thrown(() => decodePairs(encodePairs(each, info), "p")).message;
  assert.match(says({ ...pairs, y: pairs.y.map((y, i) => (i === 4 ? Number.NaN : y)) }), /y holds NaN or infinity/);
  assert.match(says({ ...pairs, z: pairs.z.map(() => Infinity) }), /z holds NaN or infinity/);
  assert.match(says({ ...pairs, label: Int32Array.of(0, -1, 0) }), /label holds a negative number/);
});

test.run();
