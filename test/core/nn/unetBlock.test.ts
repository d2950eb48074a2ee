import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { type BlockStyle, layoutOf, unetBlock, unetGroups, xavierUniform, zeros } from "../../../core/nn/mod.ts";
import { input, mul, sum } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { Feed } from "../../conformance/feed.ts";
import { evaluate, numbers } from "../../plugins/support.ts";

const test = suite("core/nn/unetBlock");

const start = (fanIn: number, fanOut: number) => ({
  weight: xavierUniform(fanIn, fanOut),
  bias: zeros,
});
const song: BlockStyle = {
  eps: 1e-6,
  skipScale: Math.SQRT1_2,
  modulation: "shift",
  projectResampled: true,
  resampleFilter: [1, 3, 3, 1],
  dropout: 0,
  init: start,
  lastInit: start,
  attentionInit: start,
};
const adm: BlockStyle = {
  ...song,
  eps: 1e-5,
  skipScale: 1,
  modulation: "scale and shift",
  projectResampled: false,
  resampleFilter: [1, 1],
};
const x = input("x", [1, 8, 4, 4]);
const emb = input("emb", [1, 6]);

const layersOf = (shape: Parameters<typeof unetBlock>[3], style: BlockStyle) => {
  const { entries, derived = [] } = layoutOf((scope) => void unetBlock(scope, x, emb, shape, style));
  const names = entries.map(({ name }) => name.replace(/\.(weight|bias)$/, ""));
  return [...new Set([...names, ...derived.map(({ name }) => name)])];
};

test("layers by name: a skip where channels or size change, attention where there are heads", () => {
  const plain = ["norm0", "conv0", "affine", "norm1", "conv1"];
  assert.equal(layersOf({ channels: 8, heads: 0 }, adm), plain);
  assert.equal(layersOf({ channels: 12, heads: 0 }, adm), [...plain, "skip"]);
  const filters = ["conv0.resample_filter", "skip.resample_filter"];
  assert.equal(layersOf({ channels: 8, heads: 0, resample: "up" }, adm), [...plain, ...filters]);
  assert.equal(layersOf({ channels: 8, heads: 0, resample: "down" }, song), [...plain, "skip", ...filters]);
  assert.equal(layersOf({ channels: 8, heads: 2 }, song), [...plain, "norm2", "qkv", "proj"]);
});

test("unetGroups: four channels a group, at most 32 groups", () => {
  assert.equal([1, 4, 7, 12, 128, 1344].map(unetGroups), [1, 1, 1, 3, 32, 32]);
});

for (const [name, style] of Object.entries({ adm, song }))
  for (const resample of ["up", "down", undefined] as const)
    test(`${name}, ${resample ?? "same size"}: gradients agree with central differences`, async () => {
      const shape = { channels: 12, heads: 2, resample };
      const loss = (step?: { of: string; by: number }) => {
        const feed = new Feed();
        const values = (key: string, size: readonly number[]) => {
          const data = Float64Array.from(numbers(size, key.length), (value) => value / 2);
          if (step?.of === key) for (const i of data.keys()) data[i] += step.by * Math.cos(i);
          return data;
        };
        const given = (key: string, size: readonly number[]) => feed.tensor(key, size, values(key, size));
        const weights = feed.weights("", values);
        const [image, vector] = [given("x", x.shape), given("emb", emb.shape)];
        const y = unetBlock(weights.scope, image, vector, shape, style);
        const total = sum(mul(y, given("gout", y.shape)));
        return {
          feed,
          total,
          tensors: { x: image, emb: vector, ...Object.fromEntries(weights.tensors) },
        };
      };
      const { feed, total, tensors } = loss();
      const slopes = grad(total, Object.values(tensors));
      const exact = await evaluate(
        Object.fromEntries(Object.keys(tensors).map((key, i) => [key, slopes[i]])),
        feed,
        "f64",
      );
      for (const key of ["x", "emb", "affine.weight", "conv0.weight", "skip.weight", "qkv.weight"]) {
        const h = 1e-3;
        const at = async (by: number) => {
          const moved = loss({ of: key, by });
          return (await evaluate({ y: moved.total }, moved.feed, "f64")).y[0];
        };
        const slope = ((await at(h)) - (await at(-h))) / (2 * h);
        const along = exact[key].reduce((total, value, i) => total + value * Math.cos(i), 0);
        const error = Math.abs(slope - along) / (1 + Math.abs(along));
        assert.ok(error < 2e-3, `${key} [${sizeOf(tensors[key as "x"].shape)}]: ${slope}, ${along}`);
      }
    });

test("dropout: a share p of the activations is zero, the others grow to keep the mean", async () => {
  const feed = new Feed();
  const draws = feed.noise(3);
  const shape = { channels: 8, heads: 0 };
  const image = feed.tensor("x", [64, 8, 4, 4], numbers([64, 8, 4, 4]));
  const vector = feed.tensor("emb", [64, 6], numbers([64, 6]));
  // conv1 passes one activation on as it is, so the output shows what was dropped.
  const pass = (key: string, size: readonly number[]) => {
    if (key !== "conv1.weight") return key === "conv1.bias" ? new Float32Array(8) : numbers(size);
    const kernel = new Float32Array(sizeOf(size));
    for (let c = 0; c < 8; c++) kernel[(c * 8 + c) * 9 + 4] = 1;
    return kernel;
  };
  const { scope } = feed.weights("", pass);
  const at = (dropout: number) => unetBlock(scope, image, vector, shape, { ...adm, dropout }, draws);
  const { kept, dropped } = await evaluate({ kept: at(0), dropped: at(0.25) }, feed);
  const xs = numbers([64, 8, 4, 4]);
  let zero = 0;
  for (const [i, value] of dropped.entries()) {
    const [all, some] = [kept[i] - xs[i], value - xs[i]];
    if (Math.abs(some) < 1e-6) zero++;
    else assert.ok(Math.abs(some - all / 0.75) < 1e-5);
  }
  // Five standard errors of a share of 0.25 among 8192.
  assert.ok(Math.abs(zero / dropped.length - 0.25) < 0.024, `${zero / dropped.length}`);
});

test.run();
