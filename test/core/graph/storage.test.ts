import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad, program, rootOf, simplify } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { type Storage, type Tensor, withStorage } from "../../../core/tensor/mod.ts";
import { Draw } from "../../helpers/ops.ts";
import { randomGraph } from "../../helpers/randomGraph.ts";

const test = suite("core/graph/storage");

const half = <T>(trace: () => T): T => withStorage("f16", trace);
const [x, w] = [ops.input("x", [8, 16]), ops.state("w", [16, 16])];
const bias = ops.state("bias", [16]);

test("equal nodes of different storage stay two", () => {
  const [a, b, c] = simplify([half(() => ops.tanh(x)), ops.tanh(x), half(() => ops.tanh(x))]);
  assert.is.not(a, b);
  assert.is(a, c);
  assert.equal([a.storage, b.storage], ["f16", "f32"]);
});

test("rewritten nodes are kept as those before", () => {
  const padded = (before: number) => ops.pad(ops.tanh(x), { axis: 0, before, after: 8 - before });
  const [sum] = simplify([half(() => ops.add(padded(0), padded(8)))]);
  assert.is(sum.op.name, "concat");
  assert.is(sum.storage, "f16");
});

test("gradients are kept as what they belong to, and those in between as their nodes", () => {
  const hidden = half(() => ops.silu(ops.add(ops.matmul(x, w), bias)));
  const y = half(() => ops.matmul(hidden, ops.transpose(w)));
  const [dw, dBias] = grad(ops.sum(ops.square(y)), [w, bias]);
  assert.equal([dw.storage, dBias.storage], ["f32", "f32"]);
  const { nodes } = program({ name: "gradients", outputs: { dw, dBias } });
  const wide = nodes.filter(({ op, shape }) => op.kind !== "source" && shape[0] === 8);
  const outside = new Set(["square", "mul"]);
  for (const node of wide)
    if (!outside.has(node.op.name) && node.op.kind !== "elementwise") assert.is(node.storage, "f16", node.op.name);
});

test("every value lies in a buffer of its storage, and only scratch is f16", () => {
  for (let seed = 0; seed < 200; seed++) {
    const draw = new Draw(seed);
    const storages = new Draw(seed + 1000);
    const { outputs, updates } = randomGraph(draw, 60, () => storages.pick<Storage>(["f32", "f16"]));
    const { plan } = program({ name: "random", outputs, updates });
    for (const [value, { buffer, offset }] of plan.places) {
      const { storage, kind } = plan.buffers[buffer];
      assert.is(storage, rootOf(value).root.storage, `seed ${seed}: ${value.op.name}`);
      assert.ok(storage === "f32" || kind === "scratch", `seed ${seed}: ${kind}`);
      if (kind === "scratch" && value.op.kind !== "view")
        assert.is(offset % (storage === "f16" ? 128 : 64), 0, `seed ${seed}`);
    }
  }
});

test("what is kept in f16 takes half the bytes", () => {
  const chain = () => {
    let y: Tensor = x;
    for (let i = 0; i < 6; i++) y = ops.softmax(ops.matmul(y, w));
    return y;
  };
  const bytesOf = (y: Tensor) => program({ name: "chain", outputs: { y: ops.add(y, 1) } }).plan.bytes;
  const ends = 2 * 8 * 16 * 4; // input and output
  assert.is((bytesOf(chain()) - ends) / 2, bytesOf(half(chain)) - ends);
});

test("a state takes an f16 value by a copy, an output too", () => {
  const state = ops.state("s", [8, 16]);
  const y = half(() => ops.tanh(state));
  const { plan } = program({ name: "copies", outputs: { y }, updates: [[state, y]] });
  assert.equal(
    plan.steps.map(({ kind }) => kind),
    ["elementwise", "copy", "copy"],
  );
});

test.run();
