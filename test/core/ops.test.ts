import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as ops from "../../core/ops/mod.ts";
import { defineElementwise, defineOp } from "../../core/ops/mod.ts";
import { GRADIENT_TOLERANCE } from "../helpers/close.ts";
import { gradcheck, tangentCheck } from "../helpers/gradcheck.ts";
import { Draw, examplesOf, exportedOps, zeros } from "../helpers/ops.ts";

const test = suite("core/ops");

for (const [index, [name, op]] of Object.entries(exportedOps).entries()) {
  test(`${name}: vjp agrees with central differences of the reference`, async () => {
    const draw = new Draw(index + 1);
    for (const [i, example] of examplesOf(name, op, draw).entries()) {
      const error = await gradcheck(example, draw);
      assert.ok(error < GRADIENT_TOLERANCE, `example ${i}: largest error ${error}`);
    }
  });
}

for (const [index, [name, op]] of Object.entries(exportedOps).entries()) {
  test(`${name}: jvp agrees with central differences of the reference`, async () => {
    const draw = new Draw(index + 1);
    for (const [i, example] of examplesOf(name, op, draw).entries()) {
      const error = await tangentCheck(example, draw);
      assert.ok(error < GRADIENT_TOLERANCE, `example ${i}: largest error ${error}`);
    }
  });
}

test("a wrong vjp does not pass the check", async () => {
  const wrong = defineElementwise({
    name: "wrongSquare",
    inputs: "x",
    scalar: (x) => x * x,
    vjp: ({ x }, dy) => ({ x: ops.mul(dy, x) }), // half of it
  });
  const transposed = defineOp({
    name: "wrongMatmul",
    signature: "a[M M], b[M M] -> c[M M]",
    vjp: ({ a, b }, dc) => ({ a: ops.matmul(dc, b), b: ops.matmul(a, dc, { transA: true }) }),
    reference: (context, a, b, c) =>
      ops.matmul.spec.reference!(ops.matmul(zeros([context.M, context.M]), zeros([context.M, context.M])), [a, b], c),
  });
  const forgotten = defineElementwise({
    name: "forgetful",
    inputs: "a, b",
    scalar: (a, b) => a * b,
    vjp: ({ b }, dy) => ({ a: ops.mul(dy, b) }),
  });
  for (const op of [wrong, transposed, forgotten]) {
    const draw = new Draw(5);
    const [example] = examplesOf(op.spec.name, op, draw);
    assert.ok((await gradcheck(example, draw)) > 1e-2, op.spec.name);
    assert.ok((await tangentCheck(example, draw)) > 1e-2, op.spec.name);
  }
});

test("a new op without an example fails", () => {
  const op = defineOp({
    name: "novel",
    signature: "x[*] -> y[*]",
    shape: ({ x }) => x,
    vjp: "no gradient",
  });
  assert.throws(() => examplesOf("novel", op, new Draw(1)), /^no example for op novel/);
});

test("shape errors name op, shapes and what disagrees", () => {
  const wrong: [() => unknown, RegExp][] = [
    [
      () => ops.matmul(zeros([4, 8]), zeros([9, 3])),
      /^Cannot apply matmul to a \[4, 8\] and b \[9, 3\]: K is 8 in a but 9 in b$/,
    ],
    [() => ops.matmul(zeros([2, 4, 8]), zeros([3, 8, 3])), /^Cannot apply matmul .*: the batch axes do not broadcast$/],
    [
      () => ops.add(zeros([2, 3]), zeros([4])),
      /^Cannot apply add to a \[2, 3\] and b \[4\]: the shapes do not broadcast$/,
    ],
    [
      () => ops.conv2d(zeros([1, 3, 8, 8]), zeros([4, 2, 3, 3])),
      /^Cannot apply conv2d to x \[1, 3, 8, 8\] and weight \[4, 2, 3, 3\]: C is 3 in x but 2 in weight$/,
    ],
    [() => ops.conv2d(zeros([3, 8, 8]), zeros([4, 3, 3, 3])), /x has 3 axes, expected \[B C H W\]$/],
    [
      () => ops.conv2d(zeros([1, 3, 2, 2]), zeros([4, 3, 5, 5])),
      /^Cannot apply conv2d .*: the output would have shape \[1, 4, -2, -2\]$/,
    ],
    [() => ops.linear(zeros([2, 5]), zeros([7, 4])), /^Cannot apply linear .*K is 5 in x but 4 in weight$/],
    [
      () => ops.attention(zeros([3, 4]), zeros([5, 6]), zeros([5, 2])),
      /^Cannot apply attention .*: D is 4 in q but 6 in k$/,
    ],
    [
      () => ops.groupNorm(zeros([2, 6, 4, 4]), undefined, undefined, { groups: 4 }),
      /^Cannot apply groupNorm to x \[2, 6, 4, 4\]: C is 6, not a multiple of 4 groups$/,
    ],
    [
      () => ops.groupNorm(zeros([2, 6, 4]), zeros([5]), undefined, { groups: 3 }),
      /^Cannot apply groupNorm .*: C is 6 in x but 5 in gamma$/,
    ],
    [() => ops.layerNorm(zeros([2, 6]), zeros([5])), /^Cannot apply layerNorm .*last axes of x are \[6\]$/],
    [() => ops.sum(zeros([2, 3]), { axes: [2] }), /^Cannot apply sum to x \[2, 3\]: it has no axis 2$/],
    [() => ops.softmax(zeros([2, 3]), { axis: -3 }), /^Cannot apply softmax .*no axis -3$/],
    [() => ops.concat([zeros([2, 3]), zeros([3, 3])], 1), /^Cannot apply concat .*differ outside axis 1$/],
    [() => ops.concat([], 0), /^Cannot apply concat/],
    [() => ops.stack([zeros([2]), zeros([3])]), /^Cannot apply stack to part 0 \[2\] and part 1 \[3\]/],
    [() => ops.slice(zeros([4]), { axis: 0, start: 3, end: 3 }), /^Cannot apply slice .*no elements 3 to 3$/],
    [() => ops.split(zeros([2, 5]), 2, 1), /^Cannot apply split/],
    [() => ops.pad(zeros([4]), { axis: 1, before: 1, after: 0 }), /^Cannot apply pad/],
    [() => ops.reshape(zeros([4]), [3]), /^Cannot apply reshape to x \[4\]: 4 elements do not fill \[3\]$/],
    [() => ops.reshape(zeros([5]), [2, -1]), /^Cannot apply reshape/],
    [() => ops.transpose(zeros([2, 3]), [0, 0]), /^Cannot apply transpose .*not an order of its axes$/],
    [() => ops.sumPool(zeros([5, 4]), { factor: 2 }), /^Cannot apply sumPool to x \[5, 4\]/],
    [() => ops.maxPool2d(zeros([2, 2]), { kernel: 3 }), /^Cannot apply maxPool2d to x \[2, 2\]/],
    [() => ops.interpolate(zeros([4]), { size: 2, mode: "area" }), /^Cannot apply interpolate to x \[4\]/],
    [() => ops.broadcastTo(zeros([3]), { shape: [2, 2] }), /^Cannot apply broadcastTo .*to \[2, 2\]$/],
    [() => ops.gather(zeros([2, 3]), zeros([3, 1], "i32"), { axis: 1 }), /^Cannot apply gather/],
    [
      () => ops.scatterAdd(zeros([2, 3]), zeros([2, 1], "i32"), zeros([2, 2]), { axis: 1 }),
      /^Cannot apply scatterAdd to index \[2, 1\] and source \[2, 2\]/,
    ],
    [() => ops.takeRows(zeros([2, 3]), zeros([2])), /^Cannot apply takeRows: index is f32, expected i32$/],
    [() => ops.add(zeros([2]), zeros([2], "i32")), /^Cannot apply add to a f32 and b i32: expected one dtype$/],
    [() => ops.matmul(zeros([2, 2]), undefined as never), /^Cannot apply matmul: b is undefined/],
    [() => ops.view(zeros([4]), { offset: 3, shape: [2] }), /^Cannot apply view/],
    [() => ops.convTranspose2d(zeros([1, 3, 2, 2]), zeros([4, 1, 2, 2])), /^Cannot apply convTranspose2d/],
  ];
  for (const [call, message] of wrong) assert.throws(call, message, `${message}`);
});

test.run();
