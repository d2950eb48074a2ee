import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as ops from "../../../core/ops/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

/** What ops refuse to be called with. Without it a slip computes something else, and nobody hears of it. */
const test = suite("core/ops arguments");

const x = ops.input("x", [2, 3]);
const id = ops.input("id", [2], "i32");
type Loose = (...args: unknown[]) => unknown;

/** What is exported beside ops. */
const others = [
  "attrsOf",
  "attentionGradParts",
  "attentionGradPlaces",
  "defineElementwise",
  "defineOp",
  "errorFunction",
  "gradPlaces",
];
const named = (Object.entries(ops) as [string, unknown][]).filter(
  (entry): entry is [string, Loose & { usage?: string }] =>
    typeof entry[1] === "function" && !others.includes(entry[0]),
);

test("every op says how it is called", () => {
  const without = named.filter(([, op]) => op.usage === undefined).map(([name]) => name);
  assert.equal(without, ["nameOf", "uniformOf"], "define it with defineOp, defineElementwise or defineComposed");
  for (const [name, { usage }] of named)
    if (usage) assert.match(usage, new RegExp(`^${name}\\(.*\\)$`), "its name is that of its export");
});

test("every op refuses attributes it does not know, and more arguments than it takes", () => {
  const given: Record<string, unknown> = { Tensor: x, "Tensor[]": [x], number: 1, "number[]": [1], string: "a" };
  for (const [name, op] of named) {
    if (!op.usage) continue;
    const [, positional, attributes] = op.usage.match(/^\w+\((.*?)(?:, )?(\{.*\})?(?:, rows.*)?\)$/)!;
    const kinds = positional === "" ? [] : positional.split(", ").map((text) => text.split(": ")[1].split(" |")[0]);
    const args = kinds.map((kind) => given[kind] ?? (kind.startsWith("ArrayLike") ? [1] : "f32"));
    if (attributes) {
      const { code, message } = thrown(() => op(...args, { noSuch: 1 }));
      assert.is(code, "E_ARGUMENT", name);
      assert.is(message, `Cannot apply ${name}: unknown attribute "noSuch", expected ${op.usage}`);
      assert.is(thrown(() => op(...args, [1])).code, "E_ARGUMENT", `${name} with a list`);
    }
    const tooMany = thrown(() => op(...args, 1, 2, 3, 4));
    assert.match(tooMany.message, /it has \d+ arguments, expected /, name);
  }
});

test("slips are named, with the signature and the nearest name", () => {
  const wrong: [call: unknown, args: unknown[], message: string][] = [
    [ops.sum, [x, [1]], "its attributes are [1], expected sum(x: Tensor, { axes?: number[], keepDims?: boolean })"],
    [
      ops.sum,
      [x, { axis: 1 }],
      'unknown attribute "axis", expected sum(x: Tensor, { axes?: number[], keepDims?: boolean }), did you mean "axes"?',
    ],
    [ops.mean, [x, { axes: 1 }], "axes is 1, expected mean(x: Tensor, { axes?: number[], keepDims?: boolean })"],
    [
      ops.clamp,
      [x, { lo: -1, hi: 1 }],
      'unknown attribute "lo", expected clamp(x: Tensor | number, { min?: number, max?: number })',
    ],
    [
      ops.constant,
      [new Float32Array(9216)],
      'value is Float32Array of 36864 bytes, expected constant(value: number, dtype?: "f32" | "i32", shape?: number[])',
    ],
    [ops.concat, [[x, x], { axis: 1 }], "axis is an object of axis, expected concat(parts: Tensor[], axis: number)"],
    [ops.concat, [[x, x]], "axis is undefined, expected concat(parts: Tensor[], axis: number)"],
    [
      ops.matmul,
      [x, x, true],
      "its attributes are true, expected matmul(a: Tensor, b: Tensor, { transA?: boolean, transB?: boolean })",
    ],
    [ops.reshape, [x, 6], "shape is 6, expected reshape(x: Tensor, shape: number[])"],
    [ops.add, [x, [1, 2]], "b is [1, 2], expected add(a: Tensor | number, b: Tensor | number)"],
    [ops.add, [x, "1"], 'b is "1", expected add(a: Tensor | number, b: Tensor | number)'],
    [ops.mul, [x], "b is undefined, expected mul(a: Tensor | number, b: Tensor | number)"],
    [ops.takeRows, [x, [0, 1]], "index is [0, 1], expected takeRows(table: Tensor, index: Tensor)"],
    [ops.gather, [x, id, 1], "its attributes are 1, expected gather(x: Tensor, index: Tensor, { axis: number })"],
    [ops.gather, [x, id], "axis is undefined, expected gather(x: Tensor, index: Tensor, { axis: number })"],
  ];
  for (const [call, args, message] of wrong) {
    const error = thrown(() => (call as Loose)(...args));
    assert.is(error.code, "E_ARGUMENT");
    assert.is(error.message.replace(/^Cannot apply \w+: /, ""), message);
  }
  const four = ops.input("four", [1, 4, 2, 2]);
  assert.match(
    thrown(() => ops.groupNorm(four, undefined, undefined, { groups: 2, activation: "relu" as never })).message,
    /^Cannot apply groupNorm: activation is "relu", expected groupNorm\(.*activation\?: "none" \| "silu"/,
  );
});

test("an op can be handed to reduce and map", () => {
  assert.equal([x, x, x].reduce(ops.add).shape, [2, 3]);
  assert.equal([x, x].map(ops.exp)[1].shape, [2, 3]);
  assert.throws(() => (ops.add as unknown as Loose)(x, x, x), /it has 3 arguments/);
  assert.throws(() => (ops.exp as unknown as Loose)(x, undefined, 1), /it has 3 arguments/);
});

test("an attribute that is undefined has its default", () => {
  assert.equal(ops.clamp(x, { min: 0, max: undefined }).attrs, { min: 0, max: Infinity });
  assert.equal(ops.matmul(x, x, { transB: true, transA: undefined }).shape, [2, 2]);
});

test.run();
