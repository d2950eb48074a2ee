import { suite } from "uvu";
import * as assert from "uvu/assert";
import { guided, joinConditions, type RawNetwork, withoutCondition } from "../../../core/diffusion/mod.ts";
import { type Condition, type ConditionShape, classLabel } from "../../../core/interfaces/mod.ts";
import { add, constant, constantArray, mul, reshape, toFloat } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { evaluate, Feed } from "../../plugins/support.ts";

const test = suite("core/diffusion/guidance");

const text = (values: number[]): Tensor => constantArray(values, [values.length, 1, 1]);
const x = constantArray([1, 2], [2, 1]);
const c = constantArray([0, 0], [2]);

/** Conditions by a text of one number, with a stored text that stands for none. */
const texts: ConditionShape = { text: { shape: [1, 1], dtype: "f32", empty: "stored" } };

/** F = x·text, or x·(label + 1), or 7·x without either; notes the batches it is called with. */
function network() {
  const calls: number[] = [];
  const F: RawNetwork = (given, _, { text: tokens, label }) => {
    const [B] = given.shape;
    calls.push(B);
    if (tokens) return mul(given, reshape(tokens, [B, 1]));
    return mul(given, label ? reshape(add(toFloat(label), 1), [B, 1]) : 7);
  };
  return { F, calls };
}
const apply = async (F: RawNetwork, condition: Condition) => [
  ...(await evaluate({ y: F(x, c, condition) }, new Feed())).y,
];

test("F_∅ + w (F_c − F_∅) in one call of twice the batch", async () => {
  const { F, calls } = network();
  const condition = { text: text([3, 5]), "empty.text": text([1, 2]) };
  assert.equal(await apply(guided(F, 4, texts), condition), [1 * (1 + 4 * 2), 2 * (2 + 4 * 3)]);
  assert.equal(calls, [4]);
});

test("the unconditional half comes first", async () => {
  const { F } = network();
  const shown: Tensor[] = [];
  const watch: RawNetwork = (given, cNoise, condition) => {
    shown.push(reshape(condition.text!, [4]));
    return F(given, cNoise, condition);
  };
  const condition = { text: text([3, 5]), "empty.text": text([1, 2]) };
  guided(watch, 2, texts)(x, c, condition);
  assert.equal([...(await evaluate({ order: shown[0] }, new Feed())).order], [1, 2, 3, 5]);
});

test("withoutCondition: each entry as the data describe it; what they do not describe goes", async () => {
  const sizes = constant(64, "f32", [2, 6]);
  const condition = {
    text: text([3, 5]),
    "empty.text": text([1, 2]),
    pooled: constantArray([8, 9], [2, 1]),
    timeIds: sizes,
    label: constantArray([0, 3], [2], "i32"),
    stray: sizes,
    unknown: sizes,
  };
  const shape: ConditionShape = {
    ...classLabel(4),
    text: { shape: [1, 1], dtype: "f32", empty: "stored" },
    pooled: { shape: [1], dtype: "f32", empty: "zero" },
    timeIds: { shape: [6], dtype: "f32", empty: "same" },
    absent: { shape: [6], dtype: "f32", empty: "same" },
    unknown: { shape: [6], dtype: "f32" },
  };
  const empty = withoutCondition(condition, shape);
  assert.equal(Object.keys(empty).sort(), ["pooled", "text", "timeIds"]);
  assert.is(empty.timeIds, sizes);
  assert.is(empty.text, condition["empty.text"]);
  assert.equal([...(await evaluate({ pooled: empty.pooled! }, new Feed())).pooled], [0, 0]);
});

test("a text that stands for none and is zero costs one call as well", async () => {
  const { F, calls } = network();
  const zero: ConditionShape = { text: { shape: [1, 1], dtype: "f32", empty: "zero" } };
  assert.equal(await apply(guided(F, 4, zero), { text: text([3, 5]) }), [12, 40]);
  assert.equal(calls, [4]);
});

test("w of 1 and less is one plain call", async () => {
  for (const w of [0, 1]) {
    const { F, calls } = network();
    assert.equal(await apply(guided(F, w, texts), { text: text([3, 5]) }), [3, 10]);
    assert.equal(calls, [2]);
  }
});

test("a class has no batch without it: two calls", async () => {
  const { F, calls } = network();
  const condition = { label: constantArray([0, 3], [2], "i32") };
  assert.equal(await apply(guided(F, 3, classLabel(4)), condition), [7 + 3 * (1 - 7), 14 + 3 * (8 - 14)]);
  assert.equal(calls, [2, 2]);
});

test("joinConditions: one batch after the other, of what both have", async () => {
  const a = { text: text([1]), pooled: text([5]), "empty.text": text([8]) };
  const b = { text: text([2]), timeIds: text([6]), "empty.text": text([9]) };
  const joined = joinConditions(a, b);
  assert.equal(Object.keys(joined).sort(), ["empty.text", "text"]);
  const { both, without } = await evaluate({ both: joined.text!, without: joined["empty.text"]! }, new Feed());
  assert.equal([...both, ...without], [1, 2, 8, 9]);
  assert.equal(joinConditions(a, {}), {});
});

test.run();
