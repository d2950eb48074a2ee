import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { classLabel, type DataShape, type Dataset, NETWORK } from "../../../core/interfaces/mod.ts";
import { isFrozen, layoutOf } from "../../../core/nn/mod.ts";
import { sum } from "../../../core/ops/mod.ts";
import { EventBus, Trainer } from "../../../core/train/mod.ts";
import { edmDenoising } from "../../../plugins/losses/edmDenoising.ts";
import { dmd2Method } from "../../../plugins/methods/dmd2.ts";
import { song } from "../../../plugins/networks/song.ts";
import { adamw } from "../../../plugins/optimizers/adamw.ts";
import { heun } from "../../../plugins/samplers/heun.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { conforms, goldenNames } from "../../helpers/golden.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/networks/song");

const cifar: DataShape = { sample: [3, 32, 32], condition: {}, sigmaData: 0.5 };
const small: DataShape = { sample: [1, 8, 8], condition: classLabel(3), sigmaData: 0.5 };
const tiny = { channels: 8, channelMult: [1, 2], blocks: 1, attention: [4] };
const ncsnpp: Parameters<typeof song>[0] = {
  ...({ embedding: "fourier", noiseMult: 2, encoder: "residual" } as const),
  resampleFilter: [1, 3, 3, 1],
};

function layout(shape: DataShape, options: Parameters<typeof song>[0]) {
  const network = compose(shape, song(options)).get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return layoutOf((scope) => network.apply(scope, x, sigma, condition));
}

test("the defaults are EDM's conditional CIFAR-10 DDPM++: 55,735,299 parameters", () => {
  const found = layout({ ...cifar, condition: classLabel(10) }, { augmentLabels: 9 });
  assert.is(found.count, 55_735_299);
  assert.is(found.entries.length + found.derived!.length, 427);
  const shapes = Object.fromEntries(found.entries.map(({ name, shape }) => [name, shape]));
  assert.equal(shapes["model.map_label.weight"], [128, 10]);
  assert.equal(shapes["model.map_augment.weight"], [128, 9]);
  assert.equal(shapes["model.dec.16x16_block4.qkv.weight"], [768, 256, 1, 1]);
  assert.not.ok("model.dec.16x16_block3.qkv.weight" in shapes);
  assert.equal(shapes["model.dec.32x32_aux_conv.weight"], [3, 256, 3, 3]);
});

test("with NCSN++'s options, EDM's unconditional model: 56,397,827 parameters, 432 tensors", () => {
  const found = layout(cifar, { ...ncsnpp, augmentLabels: 9 });
  assert.is(found.count, 56_397_827);
  assert.is(found.entries.length + found.derived!.length, 432);
  const filter = found.derived!.find(({ name }) => name.endsWith("16x16_aux_residual.resample_filter"))!;
  assert.equal(filter.shape, [1, 1, 4, 4]);
  assert.equal([...filter.data.slice(0, 4)], [1 / 64, 3 / 64, 3 / 64, 1 / 64]);
});

test("Fourier frequencies are stored with the weights, apart from what an optimiser moves", () => {
  const found = layout(small, { ...tiny, ...ncsnpp });
  const freqs = found.entries.find(({ name }) => name === "model.map_noise.freqs")!;
  assert.equal(freqs.init, { kind: "normal", deviation: 16, frozen: true });
  assert.equal(freqs.shape, [8]);
  assert.ok(isFrozen(found, freqs.arena));
  const others = found.entries.filter(({ arena }) => arena === freqs.arena);
  assert.is(others.length, 1);
  const alone = layout(small, tiny);
  assert.not.ok(alone.arenas.some((_, arena) => isFrozen(alone, arena)));
});

test("Fourier frequencies get no gradient", async () => {
  const feed = new Feed();
  const network = compose(small, song({ ...tiny, ...ncsnpp })).get(NETWORK);
  const weights = feed.weights("w.", (_, shape) => numbers(shape, shape.length));
  const x = feed.tensor("x", [1, 1, 8, 8], numbers([64]));
  const F = network.apply(weights.scope, x, feed.tensor("c", [1], [0.3]), {});
  const [slope] = grad(sum(F), [weights.tensors.get("model.map_noise.freqs")!]);
  assert.ok((await evaluate({ slope }, feed)).slope.every((value) => value === 0));
});

test("training moves the weights, with dropout, and leaves the Fourier frequencies", async () => {
  const backend = new ReferenceBackend();
  const random = { ...tiny, ...ncsnpp, dropout: 0.2, labelDropout: 0.5 };
  const adam = adamw({ role: "teacher", lr: 0.01, weightDecay: 0.5 });
  const method = dmd2Method({ teacher: { steps: 2, batch: 2 } });
  const container = compose(small, song(random), edm(), edmDenoising(), adam, heun(), method);
  const dataset: Dataset = {
    name: "numbers",
    shape: small,
    size: 4,
    batch: () => ({ x: numbers([2, 64]), condition: { label: Int32Array.of(0, 2) } }),
  };
  const trainer = new Trainer(container, backend, dataset, new EventBus(), { seed: 0 });
  const [teaching] = trainer.method.stages;
  await trainer.begin(teaching);
  const { teacher } = trainer.players;
  const before = await teacher.read("weights");
  await trainer.train(teaching);
  const after = await teacher.read("weights");
  const same = (name: string) => before[name].data.every((v, i) => v === after[name].data[i]);
  const fixed = Object.keys(before).filter(same);
  const buffers = /(freqs|resample_filter)$/;
  assert.equal(
    fixed,
    Object.keys(before).filter((name) => buffers.test(name)),
  );
});

test("starts as EDM does: Xavier weights, zero biases, small residual branches", () => {
  const init = Object.fromEntries(layout(small, tiny).entries.map((e) => [e.name, e.init]));
  const xavier = (fanIn: number, fanOut: number, gain = 1) => ({
    kind: "uniform",
    bound: gain * Math.sqrt(6 / (fanIn + fanOut)),
  });
  const starts = {
    "enc.8x8_conv": xavier(9, 72),
    "enc.4x4_block0.conv0": xavier(72, 144),
    "enc.4x4_block0.conv1": xavier(144, 144, 1e-5),
    "enc.4x4_block0.qkv": xavier(16, 48, Math.sqrt(0.2)),
    "enc.4x4_block0.proj": xavier(16, 16, 1e-5),
    "dec.8x8_aux_conv": xavier(72, 9, 1e-5),
    map_label: xavier(3, 8),
    map_layer0: xavier(8, 32),
  };
  for (const [layer, start] of Object.entries(starts)) {
    assert.equal(init[`model.${layer}.weight`], start, layer);
    assert.equal(init[`model.${layer}.bias`], { kind: "constant", value: 0 }, layer);
  }
});

test("features are the encoder's last activation, and need no decoder", () => {
  for (const encoder of ["standard", "skip", "residual"] as const) {
    const network = compose(small, song({ ...tiny, encoder })).get(NETWORK);
    const { x, sigma, condition } = placeholders(small);
    const { entries } = layoutOf((scope) =>
      assert.equal(network.features(scope, x, sigma, condition).shape, [1, 16, 4, 4]),
    );
    assert.not.ok(entries.some(({ name }) => name.startsWith("model.dec.")));
  }
});

test("every encoder with every decoder halves and doubles exactly, with any filter", () => {
  for (const encoder of ["standard", "skip", "residual"] as const)
    for (const decoder of ["standard", "skip"] as const)
      for (const resampleFilter of [
        [1, 1],
        [1, 3, 3, 1],
        [1, 2, 5, 5, 2, 1],
      ]) {
        const options = { ...tiny, encoder, decoder, resampleFilter, channelMult: [1, 2, 1] };
        const network = compose(small, song(options)).get(NETWORK);
        const { x, sigma, condition } = placeholders(small);
        layoutOf((scope) => assert.equal(network.apply(scope, x, sigma, condition).shape, x.shape));
      }
});

test("names the way out when options and samples do not fit", () => {
  const refused = (options: Parameters<typeof song>[0], sample = [1, 8, 8]) =>
    thrown(() => compose({ sample, condition: {}, sigmaData: 0.5 }, song(options)).get(NETWORK));
  const cases = [
    [refused({ ...tiny, channelMult: [1, 1, 1] }, [1, 6, 6]), /^Cannot use song for samples \[1, 6, 6\]/],
    [refused({}), /attention asks for images 16 pixels high, should be among 8, 4, 2/],
    [refused({ ...tiny, channels: 6, channelMult: [1, 2] }), /18 channels.*multiple of its 4/],
  ] as const;
  for (const [error, message] of cases) {
    assert.is(error.code, "E_OPTION");
    assert.match(error.message, message);
  }
});

const names = ["edm_ddpmpp", "edm_ncsnpp", "edm_song", "edm_eps_song"].flatMap(goldenNames);
for (const name of names)
  test(`${name}: denoised images and gradients agree with NVlabs/edm`, async () => {
    await conforms(name, new ReferenceBackend());
  });

test.run();
