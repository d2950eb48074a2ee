import { suite } from "uvu";
import * as assert from "uvu/assert";
import { edmDenoiser, placeholders } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { type DataShape, NETWORK } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { mul, sum } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { type GoldenCase, golden, hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, labelsOf, numbers } from "../support.ts";

const test = suite("plugins/networks/adm");

const imagenet: DataShape = { sample: [3, 64, 64], classes: 1000, sigmaData: 0.5 };
const mnist: DataShape = { sample: [1, 16, 16], classes: 10, sigmaData: 0.5 };
const recipe = {
  ...{ channels: 32, channelMult: [1, 2], blocks: 1 },
  ...{ attention: [8], channelsPerHead: 32 },
};

function layout(shape: DataShape, options: Parameters<typeof adm>[0]) {
  const network = compose(shape, adm(options)).get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return layoutOf((scope) => network.apply(scope, x, sigma, condition));
}

test("is a well-formed plugin", () => checkPlugin(adm, recipe));

test("the defaults are the ImageNet-64 model: 295,899,267 parameters in 541 tensors", () => {
  const { count, entries } = layout(imagenet, {});
  assert.is(count, 295_899_267);
  // 553 state tensors with the two resample_filter buffers of each of the six up and down blocks
  assert.is(entries.length, 553 - 12);
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
  const init = Object.fromEntries(
    layout(mnist, recipe).entries.map((entry) => [entry.name, entry.init]),
  );
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
const layoutNames = (declare: Parameters<typeof layoutOf>[0]) =>
  layoutOf(declare).entries.map(({ name }) => name);

test("refuses samples that do not halve often enough", () => {
  const create = (sample: number[]) =>
    compose({ sample, classes: 0, sigmaData: 0.5 }, adm(recipe)).get(NETWORK);
  for (const sample of [[2], [1, 15, 15], [1, 16, 8]])
    assert.throws(() => create(sample), /^Cannot use adm for samples \[.*square images/);
});

/** D(x; σ) of a golden case, over its weights. */
function goldenDenoiser(feed: Feed, reference: GoldenCase) {
  const { config } = reference;
  const shape = {
    sample: reference.shape("in.x").slice(1),
    classes: config.label_dim,
    sigmaData: config.sigma_data,
  };
  const plugin = adm({
    channels: config.model_channels,
    channelMult: config.channel_mult,
    channelMultEmb: config.channel_mult_emb,
    blocks: config.num_blocks,
    attention: config.attn_resolutions,
    channelsPerHead: config.channels_per_head,
  });
  const network = compose(shape, plugin).get(NETWORK);
  const weights = feed.weights("w.", (name) => reference.f32(`w.${name}`));
  const denoiser = edmDenoiser((...inputs) => network.apply(weights.scope, ...inputs), 0.5);
  const x = feed.tensor("x", reference.shape("in.x"), reference.f32("in.x"));
  const sigma = feed.tensor("sigma", reference.shape("in.sigma"), reference.f32("in.sigma"));
  const labels = labelsOf(reference.f32("in.class_labels"), config.label_dim);
  return { denoiser, weights, x, sigma, condition: feed.label("label", labels) };
}

for (const name of ["edm_adm_multihead", "edm_adm_3level", "edm_adm_head64", "edm_eps_adm"]) {
  const check = hasGolden(name) ? test : test.skip;
  check(`${name}: denoised images and gradients agree with NVlabs/edm`, async () => {
    const reference = golden(name);
    const feed = new Feed();
    const { denoiser, weights, x, sigma, condition } = goldenDenoiser(feed, reference);
    const outputs: Record<string, Tensor> = {};
    // The networks here have no augmentation labels: a case with some fixes the rest of the network without them.
    if (!reference.has("in.augment_labels")) {
      outputs["out.D_x"] = denoiser.denoise(x, sigma, condition);
      if (reference.has("gout")) {
        const gout = feed.tensor("gout", reference.shape("gout"), reference.f32("gout"));
        const loss = sum(mul(outputs["out.D_x"], gout));
        const names = [...weights.tensors.keys()].map((key) => `grad.w.${key}`);
        const gradients = grad(loss, [...weights.tensors.values(), x]);
        for (const [i, key] of [...names, "grad.in.x"].entries()) outputs[key] = gradients[i];
        assert.equal([...names, "grad.in.x"].sort(), reference.names("grad."));
      }
    }
    if (reference.has("out.D_x_nolabel"))
      outputs["out.D_x_nolabel"] = denoiser.denoise(x, sigma, {});
    const result = await evaluate(outputs, feed);
    for (const key of Object.keys(outputs)) reference.within(result[key], key);
  });
}

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
