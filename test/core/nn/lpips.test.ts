import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import type { FeatureNetwork } from "../../../core/interfaces/mod.ts";
import { layoutOf, lpips } from "../../../core/nn/mod.ts";
import { input, interpolate, sum } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { vggNetwork } from "../../../plugins/extractors/vgg16.ts";
import { evaluateOn } from "../../conformance/feed.ts";
import { conforms, hasGolden } from "../../helpers/golden.ts";
import { Feed, numbers } from "../../plugins/support.ts";

const test = suite("core/nn/lpips");

const backend = await WasmBackend.open();

/** Made-up weights with signals of an even size through all layers; kept, as there are 15 million. */
const made = new Map<string, Float32Array>();
function networkIn(feed: Feed, bias = 0): FeatureNetwork {
  const { scope } = feed.weights("w.", (name, shape) => {
    if (name.endsWith("bias")) return new Float32Array(shape[0]).fill(bias);
    const found = made.get(name) ?? new Float32Array(sizeOf(shape));
    if (made.has(name)) return found;
    made.set(name, found);
    if (name.startsWith("lin")) return found.fill(1);
    const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
    let draw = 1;
    for (let i = 0; i < found.length; i++) {
      draw = (Math.imul(draw, 1664525) + 1013904223) >>> 0;
      found[i] = bound * (draw / 2 ** 31 - 1);
    }
    return found;
  });
  return vggNetwork(scope);
}

test("parameters: those of the official state dict, 13 convolutions and 5 linear layers", () => {
  const image = input("image", [1, 3, 16, 16]);
  const { entries } = layoutOf((scope) => void lpips(vggNetwork(scope), image, image));
  const names = entries.map(({ name }) => name);
  assert.is(names.length, 2 * 13 + 5);
  for (const name of ["net.slice1.0.weight", "net.slice3.14.bias", "net.slice5.28.weight"])
    assert.ok(names.includes(name), name);
  assert.equal(entries.find(({ name }) => name === "lin4.model.1.weight")?.shape, [1, 512, 1, 1]);
});

test("lpips: 0 between equal images with a slope of 0, above 0 between others, symmetric", async () => {
  const feed = new Feed();
  const vgg = networkIn(feed);
  const a = feed.tensor("a", [1, 3, 16, 16], numbers([3, 16, 16]));
  const b = feed.tensor("b", [1, 3, 16, 16], numbers([3, 16, 16], 1));
  const same = lpips(vgg, a, a);
  const outputs = { same, slope: grad(sum(same), [a])[0], ab: lpips(vgg, a, b) };
  const found = await evaluateOn(backend, { ...outputs, ba: lpips(vgg, b, a) }, feed);
  assert.is(found.same[0], 0);
  assert.ok(found.slope.every((each) => each === 0));
  assert.ok(found.ab[0] > 1e-3, `${found.ab[0]}`);
  assert.ok(Math.abs(found.ab[0] - found.ba[0]) < 1e-6);
});

test("size: smaller images are enlarged bilinearly, larger ones are left; grey is three equal channels", async () => {
  const feed = new Feed();
  const vgg = networkIn(feed);
  const [a, b] = [0, 1].map((phase) => feed.tensor(`small${phase}`, [1, 3, 16, 16], numbers([3, 16, 16], phase)));
  const [large, other] = [a, b].map((x) => interpolate(x, { size: [24, 24], mode: "bilinear" }));
  const grey = [0, 1].map((phase) => feed.tensor(`grey${phase}`, [1, 1, 16, 16], numbers([16, 16], phase)));
  const coloured = [0, 1].map((phase) => {
    const channel = [...numbers([16, 16], phase)];
    return feed.tensor(`three${phase}`, [1, 3, 16, 16], [...channel, ...channel, ...channel]);
  });
  const found = await evaluateOn(
    backend,
    {
      enlarged: lpips(vgg, a, b, 24),
      byHand: lpips(vgg, large, other),
      left: lpips(vgg, large, other, 20),
      grey: lpips(vgg, grey[0], grey[1]),
      coloured: lpips(vgg, coloured[0], coloured[1]),
    },
    feed,
  );
  assert.is(found.enlarged[0], found.byHand[0]);
  assert.is(found.left[0], found.byHand[0]);
  assert.is(found.grey[0], found.coloured[0]);
});

test("lpips: the slope is finite where no channel sees anything", async () => {
  const feed = new Feed();
  const vgg = networkIn(feed, -9);
  const a = feed.tensor("a", [1, 3, 16, 16], numbers([3, 16, 16]));
  const b = feed.tensor("b", [1, 3, 16, 16], numbers([3, 16, 16], 1));
  const { slope } = await evaluateOn(backend, { slope: grad(sum(lpips(vgg, a, b)), [a])[0] }, feed);
  assert.ok(slope.every(Number.isFinite));
});

const official = hasGolden("lpips_vgg") ? test : test.skip;
official("lpips_vgg: distances, layers and gradient agree with the official code", async () => {
  await conforms("lpips_vgg", backend);
});

test("close", () => backend.close());

test.run();
