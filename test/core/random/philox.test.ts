import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fillFrom, keyOf, normalsFrom, philox, uniformFrom } from "../../../core/random/philox.ts";
import { moments } from "../../helpers/moments.ts";

const test = suite("core/random/philox");

type Words = [number, number, number, number];
const words = (hex: string) => hex.split(" ").map((word) => Number.parseInt(word, 16));

// kat_vectors of Random123 1.14, lines "philox4x32 10".
for (const [counter, key, expected] of [
  ["0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
]) {
  test(`philox: the known answer for counter ${counter}`, () => {
    assert.equal(philox(words(counter) as Words, words(key) as [number, number]), words(expected));
  });
}

test("uniformFrom: the ends of [0, 1), exact in float32", () => {
  assert.is(uniformFrom(0), 0);
  const most = uniformFrom(0xffffffff);
  assert.is(most, 1 - 2 ** -24);
  assert.is(Math.fround(most), most);
});

test("normalsFrom: finite for all bits", () => {
  for (const a of [0, 255, 2 ** 31, 2 ** 32 - 1])
    for (const b of [0, 255, 2 ** 31, 2 ** 32 - 1]) assert.ok(normalsFrom(a, b).every(Number.isFinite), `${a}, ${b}`);
});

test("uniforms and normals: the moments of their distributions", () => {
  const uniforms: number[] = [];
  const normals: number[] = [];
  for (let block = 0; block < 10_000; block++) {
    const bits = philox([block, 3, 5, 0], [7, 11]);
    uniforms.push(...bits.map(uniformFrom));
    normals.push(...normalsFrom(bits[0], bits[1]), ...normalsFrom(bits[2], bits[3]));
  }
  // Five standard errors of 40,000 numbers.
  const u = moments(uniforms);
  assert.ok(Math.abs(u.mean - 0.5) < 0.0073, `mean ${u.mean}`);
  assert.ok(Math.abs(u.variance - 1 / 12) < 0.0019, `variance ${u.variance}`);
  const n = moments(normals);
  assert.ok(Math.abs(n.mean) < 0.025, `mean ${n.mean}`);
  assert.ok(Math.abs(n.variance - 1) < 0.036, `variance ${n.variance}`);
  assert.ok(Math.abs(n.kurtosis - 3) < 0.13, `kurtosis ${n.kurtosis}`);
});

test("fillFrom: block after block of its counter, from any element on", () => {
  const counter = [3, 5, 1] as const;
  const key = [7, 11] as const;
  const blocks = Array.from({ length: 4 }, (_, block) => philox([block, ...counter], key));
  const uniforms = blocks.flatMap((bits) => bits.map(uniformFrom));
  const normals = blocks.flatMap((bits) => [...normalsFrom(bits[0], bits[1]), ...normalsFrom(bits[2], bits[3])]);
  for (const [first, count] of [
    [0, 16],
    [3, 10],
    [6, 1],
    [8, 5],
  ]) {
    const out = new Float64Array(count);
    fillFrom(out, { distribution: "uniform", counter, key }, { first });
    assert.equal([...out], uniforms.slice(first, first + count));
    fillFrom(out, { distribution: "normal", counter, key }, { first, scale: 0.3 });
    const scaled = normals.slice(first, first + count).map((value) => value * 0.3);
    assert.equal([...out], scaled);
  }
});

test("keyOf: low and high words of the seed, and the step", () => {
  assert.equal([...keyOf(5, 7)], [5, 0, 7]);
  assert.equal([...keyOf(2 ** 32 + 1, 0)], [1, 1, 0]);
  assert.equal([...keyOf(Number.MAX_SAFE_INTEGER, 0)], [-1, 2 ** 21 - 1, 0]);
});

test.run();
