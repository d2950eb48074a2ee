import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { classLabel, type DataShape, DROPOUT, NETWORK } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { conforms, goldenNames } from "../../helpers/golden.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/networks/adm");

const imagenet: DataShape = { sample: [3, 64, 64], condition: classLabel(1000), sigmaData: 0.5 };
const mnist: DataShape = { sample: [1, 16, 16], condition: classLabel(10), sigmaData: 0.5 };
const recipe = {
  channels: 32,
  channelMult: [1, 2],
  blocks: 1,
  attention: [8],
  channelsPerHead: 32,
};

function layout(shape: DataShape, options: Parameters<typeof adm>[0]) {
  const network = compose(shape, adm(options)).get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return layoutOf((scope) => network.apply(scope, x, sigma, condition));
}

test("the defaults are the ImageNet-64 model: 295,899,267 parameters in 541 tensors", () => {
  const { count, entries, derived } = layout(imagenet, {});
  assert.is(count, 295_899_267);
  assert.is(entries.length, 541);
  // The state dict has two resample_filter buffers for each of the six up and down blocks besides.
  assert.is(derived?.length, 12);
  assert.equal(derived?.[0], {
    name: "model.enc.32x32_down.conv0.resample_filter",
    shape: [1, 1, 2, 2],
    data: Float32Array.of(0.25, 0.25, 0.25, 0.25),
  });
  const shapes = Object.fromEntries(entries.map(({ name, shape }) => [name, shape]));
  assert.equal(shapes["model.map_label.weight"], [768, 1000]);
  assert.equal(shapes["model.dec.8x8_block3.conv0.weight"], [768, 1344, 3, 3]);
  assert.equal(shapes["model.enc.16x16_block0.qkv.weight"], [1728, 576, 1, 1]);
  assert.not.ok("model.enc.64x64_block0.qkv.weight" in shapes);
  assert.not.ok("model.dec.8x8_in1.qkv.weight" in shapes);
});

test("the MNIST recipe has 827,617 parameters", () => {
  assert.is(layout(mnist, recipe).count, 827_617);
});

test("starts as PyTorch and EDM do: zero output, unit label rows, ±1/√fan-in elsewhere", () => {
  const init = Object.fromEntries(layout(mnist, recipe).entries.map((entry) => [entry.name, entry.init]));
  const zero = { kind: "constant", value: 0 };
  for (const name of ["out_conv", "enc.16x16_block0.conv1", "dec.8x8_in0.proj"])
    for (const part of ["weight", "bias"]) assert.equal(init[`model.${name}.${part}`], zero);
  assert.equal(init["model.map_label.weight"], { kind: "normal", deviation: 1 });
  const bound = { kind: "uniform", bound: 1 / Math.sqrt(9 * 32) };
  assert.equal(init["model.enc.16x16_block0.conv0.weight"], bound);
  assert.equal(init["model.enc.16x16_block0.conv0.bias"], bound);
  assert.equal(init["model.enc.16x16_block0.norm0.weight"], { kind: "constant", value: 1 });
});

test("features are the last encoder block's output", () => {
  const network = compose(mnist, adm(recipe)).get(NETWORK);
  const { x, sigma, condition } = placeholders(mnist);
  const found: string[] = [];
  layoutOf((scope) => {
    const features = network.features(scope, x, sigma, condition);
    assert.equal(features.shape, [1, 64, 8, 8]);
    found.push(...layoutNames((inner) => network.features(inner, x, sigma, condition)));
  });
  assert.not.ok(found.some((name) => name.startsWith("model.dec.")));
});
const layoutNames = (declare: Parameters<typeof layoutOf>[0]) => layoutOf(declare).entries.map(({ name }) => name);

test("refuses samples that do not halve often enough", () => {
  const create = (sample: number[]) => compose({ sample, condition: {}, sigmaData: 0.5 }, adm(recipe)).get(NETWORK);
  for (const sample of [[2], [1, 15, 15], [1, 16, 9]])
    assert.throws(
      () => create(sample),
      /^Cannot use adm for samples \[.*should be images \[C, H, W\] with H and W multiples of 2$/,
    );
});

test("names the way out when options and samples do not fit", () => {
  const refused = (options: Parameters<typeof adm>[0], sample = [3, 16, 16]) =>
    thrown(() => compose({ sample, condition: {}, sigmaData: 0.5 }, adm(options)).get(NETWORK));
  const cases = [
    [{ ...recipe, attention: [8, 32] }, /attention asks for images 32 pixels.*among 16, 8$/, /16, 8/],
    [{ ...recipe, channels: 44, channelMult: [1, 3] }, /has 132 channels.*32 normalis/, /multiples/],
    [{ ...recipe, channels: 40, channelsPerHead: 12 }, /80 channels.*6 attention heads/, /heads/],
    [{ ...recipe, channels: 9 }, /embedding has 9 channels, should be even/, /even/],
    [{ ...recipe, resampleFilter: [1, 2, 1] }, /resampleFilter \[1, 2, 1\]: it has 3 taps/, /1,3,3,1/],
    [{ ...recipe, resampleFilter: [1, -1] }, /sum is not 0/, /1,1/],
  ] as const;
  for (const [options, message, fix] of cases) {
    const error = refused(options);
    assert.is(error.code, "E_OPTION");
    assert.match(error.message, message);
    assert.match(error.fix, fix);
  }
});

test("refuses augmentation labels that it has no place for", () => {
  const network = compose(mnist, adm(recipe)).get(NETWORK);
  const { x, sigma } = placeholders(mnist);
  const augment = input("augment", [1, 9]);
  const error = thrown(() => layoutOf((scope) => network.apply(scope, x, sigma, { augment })));
  assert.is(error.code, "E_OPTION");
  assert.match(error.message, /labels \[1, 9\]: augmentLabels is 0, should be 9/);
});

test("the first convolution has channels·channelMult[0] channels", () => {
  const { entries } = layout(mnist, { ...recipe, channels: 8, channelMult: [3, 2] });
  assert.equal(entries.find(({ name }) => name === "model.enc.16x16_conv.weight")?.shape, [24, 1, 3, 3]);
});

const names = ["edm_adm", "edm_eps_adm"].flatMap(goldenNames);
for (const name of names)
  test(`${name}: denoised images and gradients agree with NVlabs/edm`, async () => {
    await conforms(name, new ReferenceBackend());
  });

test("dropout and label dropout act where there are draws, and only there", async () => {
  const feed = new Feed();
  const plain = compose(mnist, adm(recipe)).get(NETWORK);
  const shaky = (options: Parameters<typeof adm>[0]) => compose(mnist, adm({ ...recipe, ...options })).get(NETWORK);
  const { scope } = feed.weights("w.", (_, shape) => numbers(shape, shape.length));
  const x = feed.tensor("x", [1, 1, 16, 16], numbers([256]));
  const c = feed.tensor("c", [1], [0.3]);
  const label = feed.label("label", [3]);
  const noise = feed.noise(7);
  const outputs = {
    calm: plain.apply(scope, x, c, { ...label, [DROPOUT]: noise }),
    still: shaky({ dropout: 0.5 }).apply(scope, x, c, label),
    shaken: shaky({ dropout: 0.5 }).apply(scope, x, c, { ...label, [DROPOUT]: noise }),
    unlabelled: plain.apply(scope, x, c, {}),
    forgot: shaky({ labelDropout: 1 }).apply(scope, x, c, { ...label, [DROPOUT]: noise }),
    rows: plain.apply(scope, x, c, {
      classWeights: feed.tensor("rows", [1, 10], [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    }),
  };
  const result = await evaluate(outputs, feed);
  assert.equal(result.still, result.calm);
  assert.equal(result.forgot, result.unlabelled);
  assert.equal(result.rows, result.calm);
  for (const other of [result.shaken, result.unlabelled])
    assert.ok(other.some((value, i) => Math.abs(value - result.calm[i]) > 1e-3));
});

test("an untrained network is silent: D(x) = cSkip·x", async () => {
  const feed = new Feed();
  const network = compose(mnist, adm(recipe)).get(NETWORK);
  const declare: Parameters<typeof layoutOf>[0] = (scope) => {
    const { x, sigma, condition } = placeholders(mnist);
    network.apply(scope, x, sigma, condition);
  };
  const { scope } = feed.fresh("", declare);
  const x = feed.tensor("x", [1, 1, 16, 16], numbers([256]));
  const raw = network.apply(scope, x, feed.tensor("c", [1], [0.3]), feed.label("label", [3]));
  const result = await evaluate({ raw }, feed);
  assert.ok(result.raw.every((value) => value === 0));
});

test.run();
