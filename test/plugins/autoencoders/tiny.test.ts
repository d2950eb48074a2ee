import { suite } from "uvu";
import * as assert from "uvu/assert";
import { layoutOf } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { parseOptions } from "../../../core/plugin/mod.ts";
import { tinyOf, tinyOptions } from "../../../plugins/autoencoders/tiny.ts";

const test = suite("plugins/autoencoders/tiny");

test("it is TAESD: an eighth of the size, 2,445,063 parameters in two halves, no Gaussian", () => {
  const defaults = parseOptions("tiny", tinyOptions);
  const { bind, factor } = tinyOf(defaults, () => Promise.reject(new Error("weights are not read")));
  assert.is(factor, 8);
  const encoder = layoutOf((scope) => {
    const { mean, deviation } = bind(scope).encode(input("x", [1, 3, 64, 48]));
    assert.equal(mean.shape, [1, 4, 8, 6]);
    assert.is(deviation, undefined);
  });
  const decoder = layoutOf((scope) => void bind(scope).decode(input("z", [1, 4, 8, 6])));
  assert.is(encoder.count + decoder.count, 2_445_063);
});

test.run();
