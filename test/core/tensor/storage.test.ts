import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as ops from "../../../core/ops/mod.ts";
import { currentStorage, withStorage } from "../../../core/tensor/mod.ts";

const test = suite("core/tensor/storage");

const x = ops.input("x", [4, 6]);

test("what ops compute is kept as the trace says, what lies elsewhere is not", () => {
  withStorage("f16", () => {
    assert.is(ops.neg(x).storage, "f16");
    assert.is(ops.matmul(ops.neg(x), ops.transpose(x)).storage, "f16");
    assert.is(ops.input("y", [4]).storage, "f32", "an input");
    assert.is(ops.constant(1, "f32", [4]).storage, "f32", "a constant");
    assert.is(ops.toInt(x).storage, "f32", "integers");
    assert.is(ops.sum(x).storage, "f32", "one number");
    assert.is(ops.reshape(x, [24]).storage, "f32", "a view of an input");
  });
  assert.is(ops.neg(x).storage, "f32");
});

test("a view lies in what it is a view of, whenever it is made", () => {
  const y = withStorage("f16", () => ops.neg(x));
  assert.is(ops.reshape(y, [24]).storage, "f16");
  assert.is(ops.stopGradient(y).storage, "f16");
});

test("the innermost wish counts, and ends with its trace, also when that throws", () => {
  withStorage("f16", () => {
    assert.is(
      withStorage("f32", () => ops.neg(x).storage),
      "f32",
    );
    assert.is(currentStorage(), "f16");
  });
  assert.throws(() =>
    withStorage("f16", () => {
      throw new Error("a fault");
    }),
  );
  assert.is(currentStorage(), "f32");
});

test.run();
