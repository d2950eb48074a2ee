// Every loss, sampler, network, dataset and metric of ours, held to what the test kit asks of anybody's.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { karrasSigmas } from "../../core/diffusion/mod.ts";
import { type ConditionEntry, classLabel, type DataShape, type Role } from "../../core/interfaces/mod.ts";
import { encodePairs } from "../../core/io/mod.ts";
import { mean, mul, sum, tanh } from "../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import {
  type DatasetTest,
  type LossTest,
  type MetricTest,
  type SamplerTest,
  testDataset,
  testLoss,
  testMetric,
  testNetwork,
  testSampler,
} from "../../core/testing/mod.ts";
import { allPlugins } from "../../plugins/all.ts";
import * as plugins from "../../plugins/mod.ts";
import { bytes, dataFolder, floats, longs } from "../helpers/datasets.ts";
import { idxBytes } from "../helpers/idx.ts";
import { memoryFiles } from "../helpers/memoryFiles.ts";
import { picture, toldFolder } from "../helpers/namedPictures.ts";
import { npyFile } from "../helpers/npyFile.ts";
import { tarFile } from "../helpers/tarFile.ts";
import { zipFile } from "../helpers/zipFile.ts";
import { smallEncoder, smallExtractor, smallInception, smallVgg } from "./metrics/smallExtractor.ts";
import { numbers } from "./support.ts";

const test = suite("plugins/kit");
const backends = [new ReferenceBackend("f64"), await WasmBackend.open()];
test.after(async () => {
  for (const backend of backends) await backend.close();
});

const plain: DataShape = { sample: [2, 3], condition: {}, sigmaData: 0.7 };
const square: DataShape = { sample: [1, 5, 5], condition: {}, sigmaData: 0.7 };
const sharing = { noise: "shared" } as const;
const pairs = encodePairs(
  { shape: [5, 2, 3], z: numbers([30]), y: numbers([30], 1) },
  { teacher: "a".repeat(64), sampler: { use: "heun" }, seed: 0, nfe: 1 },
);
const paired = { shape: plain, folder: { files: memoryFiles({ pairs }) } };

const pathSampler = plugins.euler({ sigmas: [8, 4, 2] });
const smallFew = [plugins.mlp({ width: 8, depth: 1 }), plugins.fewStep({ sigmas: [8] }), pathSampler];

const small = plugins.mlp({ width: 6, depth: 2 });
/** A generator that learns guidance scales. */
const scaled = [
  plugins.mlp({ width: 6, depth: 1, labelDropout: 0.1 }),
  plugins.fewStep({ sigmas: [5], guidanceScale: 1, guidanceMax: 4 }),
];
const dropping = plugins.mlp({ width: 6, depth: 1, labelDropout: 0.1 });
const bins = { "ratio-bins": 3, "ratio-memory": 0.4 };
const noBins = { "ratio-bins": 0, "ratio-memory": 0 };
const binsRole: Role = {
  bind(scope) {
    const means = scope.parameter("mean_ratio", [3], { kind: "constant", value: 1.5 });
    return { bins: means, denoise: (x: Tensor) => mul(x, sum(means)) };
  },
  declare: (scope) => void binsRole.bind(scope),
};
/** Moments of the six features of `small`, as the critic `feature-moments` has them, in a denoiser. */
const momentsRole: Role = {
  bind(scope) {
    const of = (whose: string) => ({
      mean: scope.at(whose).parameter("mean", [6], { kind: "constant", value: 0.3 }),
      covariance: scope.at(whose).parameter("covariance", [6, 6], { kind: "constant", value: 0.2 }),
    });
    const known = scope.parameter("known", [1], { kind: "constant", value: 0.5 });
    return { generated: of("generated"), real: of("real"), known, denoise: (x: Tensor) => mul(x, known) };
  },
  declare: (scope) => void momentsRole.bind(scope),
};
/** A denoiser without parameters. */
const halving: Role = { bind: () => ({ denoise: (x: Tensor) => mul(x, 0.5) }), declare: () => {} };
const stepRole: Role = {
  bind(scope) {
    const a = scope.parameter("a", [1], { kind: "constant", value: 0.7 });
    const seen = ({ xt }: { readonly xt: Tensor }) => mean(tanh(mul(xt, a)), { axes: [1, 2] });
    type End = Parameters<typeof seen>[0];
    const judgeStep = (from: End | undefined, to: End) => (from ? mul(seen(from), seen(to)) : seen(to));
    return { denoise: (x: Tensor) => mul(x, a), judgeStep };
  },
  declare: (scope) => void stepRole.bind(scope),
};
const stepNumbers = { steps: 2, sigmaMin: 0.1, sigmaMax: 5 };
const smallCritic = [plugins.mlp({ width: 8, depth: 1 }), plugins.fakeScore({ head: false })];

const losses: [ConfiguredPlugin, Partial<LossTest>?][] = [
  [plugins.easyConsistencyLoss(), { surrogate: true }],
  [
    plugins.easyConsistencyLoss({ teacher: true, floor: 0, levelWeight: "output", huberC: 0, squared: true }),
    { surrogate: true, shape: plain },
  ],
  [plugins.edmDenoising({ pMean: -0.4, pStd: 1 })],
  [plugins.edmDenoising({ levels: "uniform-time", shift: 3 }), { shape: plain }],
  [plugins.edmDenoising(), { plugins: [plugins.rectifiedFlow()] }],
  [plugins.distributionMatching({ weight: 2, minStep: 0.1 }), { surrogate: true }],
  [plugins.distributionMatching({ normalise: "batch" }), { surrogate: true, shape: plain }],
  [plugins.distributionMatching({ sigmaMax: 5 }), { surrogate: true, plugins: scaled }],
  [plugins.diffInstructLoss(), { surrogate: true, plugins: scaled }],
  [plugins.distributionMatching({ normalise: "noisy" }), { surrogate: true }],
  [plugins.decoupledMatching({ floor: 0.01 }), { surrogate: true, shape: plain }],
  [plugins.decoupledMatching({ realScale: 2, fakeScale: 1.5, rescale: 0.5 }), { surrogate: true, plugins: [dropping] }],
  [plugins.guidanceAugmentation({ sigmaMax: 5 }), { surrogate: true, plugins: [dropping] }],
  [plugins.firstStep({ anchor: 2 }), { plugins: [small, plugins.rollout({ sigmas: [8, 2] }), pathSampler] }],
  [plugins.firstStep({ anchor: 3 }), { shape: plain, plugins: smallFew }],
  [
    plugins.frechet({ memory: 0 }),
    { surrogate: true, shape: plain, batch: 6, plugins: [small, plugins.featureMoments()], tolerance: 1e-3 },
  ],
  [plugins.featureMomentsLoss({ memory: 0.4 }), { surrogate: true, plugins: [small], roles: { critic: momentsRole } }],
  [plugins.fDistillLoss({ divergence: "jf" }), { surrogate: true, roles: { "ratio-bins": binsRole }, numbers: bins }],
  [plugins.fDistillLoss({ features: "teacher" }), { surrogate: true, shape: plain, numbers: noBins }],
  [plugins.ratioBinsLoss(), { roles: { "ratio-bins": binsRole }, numbers: bins }],
  [plugins.diffInstructLoss(), { surrogate: true }],
  [plugins.sidLoss({ sigmaMax: 5 }), { surrogate: true }],
  [plugins.sidLoss({ sigmaMax: 5, adversarial: 0.1 }), { surrogate: true, shape: plain, plugins: smallCritic }],
  [plugins.fakeDenoising()],
  [plugins.fakeDenoising({ adversarial: 0.5, logitScale: 3 }), { shape: plain, plugins: smallCritic }],
  [plugins.fakeScoreLoss({ levels: 40 })],
  [plugins.fakeScoreLoss({ target: "fastgen-flow" })],
  [plugins.fakeScoreLoss({ dropout: true }), { plugins: [dropping, plugins.fakeScore({ head: false })] }],
  [plugins.fakeScoreLoss({ target: "v" }), { plugins: [plugins.discrete()] }],
  [plugins.ganGenerator({ diffused: false, maxStep: 0.5 })],
  [plugins.ganGenerator({ features: "teacher", objective: "hinge" }), { shape: plain }],
  [plugins.ganGenerator(sharing), { plugins: [plugins.distributionMatching()] }],
  [plugins.ganDiscriminator({ diffused: false })],
  [plugins.ganDiscriminator({ r1: 0.5, features: "teacher" }), { shape: plain }],
  [plugins.ganDiscriminator({ r1: 0.5, r1From: "clean", pairNoise: true }), { shape: plain }],
  [plugins.scoreDistillation({ sigmaMax: 5 }), { surrogate: true, shape: plain }],
  [plugins.stepGenerator(), { shape: plain, roles: { critic: stepRole }, numbers: { ...stepNumbers, ends: 2 } }],
  [
    plugins.stepDiscriminatorLoss(),
    { shape: plain, roles: { critic: stepRole }, numbers: { ...stepNumbers, ends: 1 } },
  ],
  [plugins.ganDiscriminator(sharing), { plugins: [plugins.fakeScoreLoss()] }],
  [
    plugins.consistencyDistillation({ levels: 5 }),
    {
      averages: ["target"],
      plugins: [plugins.mlp(), plugins.consistencyGenerator({ sigmas: [5] })],
    },
  ],
  [
    plugins.knowledgeDistillation(),
    { plugins: [plugins.mlp({ width: 8, depth: 1 }), plugins.fewStep({ sigmas: [8, 2] }), pathSampler] },
  ],
  [plugins.knowledgeDistillation({ pairs: "pairs" }), { ...paired, plugins: smallFew }],
  [plugins.reflowLoss(), { plugins: [plugins.rectifiedFlow(), ...smallFew], numbers: { parts: 0 } }],
  [plugins.reflowLoss({ pairs: "pairs" }), { ...paired, plugins: smallFew, numbers: { parts: 2 } }],
  [
    plugins.bootstrap({ levels: 5 }),
    {
      surrogate: true,
      plugins: [plugins.mlp({ width: 8, depth: 1 }), plugins.bootstrapped({ sigmas: [10], sigmaMin: 0.5 })],
    },
  ],
  [
    plugins.trajectory(),
    {
      plugins: [
        plugins.mlp({ width: 8, depth: 1 }),
        plugins.operator({ sigmas: [8], sigmaMin: 0.5, levels: [4], width: 4, blocks: 1 }),
        pathSampler,
      ],
    },
  ],
  [
    plugins.consistencyTrainingLoss({ last: 5 }),
    { averages: ["target"], plugins: [small, plugins.consistencyGenerator({ sigmas: [5] })] },
  ],
  [
    plugins.ctmLoss({ levels: 5, teacherSteps: 2 }),
    { surrogate: true, averages: ["target"], plugins: [small, plugins.ctmGenerator({ sigmas: [5] })] },
  ],
  [
    plugins.ctmLoss({ levels: 5, teacherSteps: 2, inner: "average", adaptive: false }),
    { averages: ["target"], plugins: [small, plugins.ctmGenerator({ sigmas: [5] })] },
  ],
  [plugins.meanFlowLoss(), { surrogate: true, plugins: [small, plugins.meanFlowGenerator({ sigmas: [5] })] }],
  [
    plugins.meanFlowLoss({ velocity: "teacher", derivative: "differences", loss: "opt-grad", warmUp: 5 }),
    { surrogate: true, shape: plain, plugins: [plugins.rectifiedFlow(), small, plugins.meanFlowGenerator()] },
  ],
  [
    plugins.meanFlowLoss({ guidanceScale: 1.5, mixture: 0.3, conditionDropout: 0.5 }),
    { surrogate: true, plugins: [small, plugins.meanFlowGenerator({ sigmas: [5] })] },
  ],
  [
    plugins.truncatedConsistencyLoss({ border: 0.3, share: 0.5, ratio: 0.5 }),
    { surrogate: true, roles: { earlier: halving } },
  ],
  [plugins.scmLoss({ warmUp: 0 }), { surrogate: true, plugins: [small, plugins.scmGenerator()] }],
  [
    plugins.scmLoss({ velocity: "data", derivative: "differences", prior: false }),
    { surrogate: true, shape: plain, plugins: [small, plugins.scmGenerator()] },
  ],
  [plugins.progressiveLoss({ distance: "l1" }), { numbers: { steps: 2, sigmaMin: 0.1, sigmaMax: 5, rho: 7 } }],
  [
    plugins.tractLoss({ clip: 1 }),
    {
      averages: ["self"],
      numbers: { levels: 4, teacherSteps: 4, steps: 2, order: 2, sigmaMin: 0.1, sigmaMax: 5, rho: 7 },
    },
  ],
  [
    plugins.latentConsistencyLoss({ huberC: 0.1 }),
    { averages: ["target"], plugins: [plugins.mlp(), plugins.latentConsistencyGenerator()] },
  ],
  [
    plugins.guidedDistillationLoss(),
    {
      numbers: { sigmaMin: 0.1, sigmaMax: 5, rho: 7 },
      plugins: [plugins.mlp({ labelDropout: 0.1 }), plugins.fewStep({ sigmas: [5], guidanceScale: 1 })],
    },
  ],
  [plugins.reward({ extractor: "inception", tap: "spatial" }), { shape: square, plugins: [smallInception()] }],
  [
    plugins.reward({ extractor: "inception", objective: "class", channel: 2 }),
    { shape: square, plugins: [smallInception()] },
  ],
  [plugins.diversityLoss({ bound: false }), { surrogate: true }],
  [plugins.regression({ pairs: "pairs" }), paired],
  [plugins.regression({ pairs: "pairs", distance: "huber" }), paired],
];
for (const [plugin, setting] of losses)
  test(`loss ${plugin.name} ${JSON.stringify(setting?.plugins?.map((each) => each.name) ?? "")}`, () =>
    testLoss(plugin, { backends, ...setting }));

const timesteps = { steps: 60, spacing: "trailing" } as const;
const discrete = { plugins: [plugins.discrete()] };
const noisy = { deterministic: false };
const consistent = { ...noisy, model: "consistency" } as const;
const samplers: [ConfiguredPlugin, Omit<SamplerTest, "backends">][] = [
  [plugins.heun({ steps: 20 }), { nfe: 39 }],
  [plugins.heun({ steps: 40, churn: 40, churnMax: 50 }), { nfe: 79, ...noisy }],
  [plugins.euler({ steps: 60 }), { nfe: 60 }],
  [plugins.euler({ steps: 80, churn: 4, churnMax: 50, churnAfter: true }), { nfe: 80, ...noisy }],
  [plugins.euler({ ...timesteps }), { nfe: 60, ...discrete }],
  [plugins.eulerAncestral({ steps: 60, eta: 0.5 }), { nfe: 60, ...noisy }],
  [plugins.lms({ steps: 40 }), { nfe: 40 }],
  [plugins.lms({ steps: 40, order: 2 }), { nfe: 40 }],
  [plugins.dpm2({ steps: 20 }), { nfe: 39 }],
  [plugins.dpm2({ steps: 30, churn: 4, churnMax: 50 }), { nfe: 59, ...noisy }],
  [plugins.dpm2Ancestral({ steps: 40, eta: 0.5 }), { nfe: 79, ...noisy }],
  [plugins.dpmpp2sAncestral({ steps: 40, eta: 0.5 }), { nfe: 79, ...noisy }],
  [plugins.dpmSolver({ steps: 20 }), { nfe: 20 }],
  [plugins.dpmSolver({ steps: 40, order: 3 }), { nfe: 40 }],
  [plugins.dpmSolver({ steps: 40, solver: "heun", predict: "noise", eta: 1, end: 0.001 }), { nfe: 40, ...noisy }],
  [plugins.dpmSolver({ steps: 20, spacing: "trailing" }), { nfe: 20, ...discrete }],
  [plugins.edmAblation({ steps: 20 }), { nfe: 39 }],
  [plugins.edmAblation({ steps: 40, discretization: "vp", timeScale: "vp", scaling: "vp" }), { nfe: 79 }],
  [plugins.pndm(timesteps), { nfe: 61, ...discrete }],
  [plugins.ddim(timesteps), { nfe: 60, ...discrete }],
  [plugins.ddim({ ...timesteps, eta: 1, clip: 2, endAtFirst: true }), { nfe: 60, ...discrete, ...noisy }],
  [plugins.ddim(timesteps), { nfe: 60, plugins: [plugins.rectifiedFlow()] }],
  [plugins.ddpm({ ...timesteps, variance: "large", clip: 2 }), { nfe: 60, ...discrete, ...noisy }],
  [plugins.lcm({ steps: 4, clip: 2 }), { nfe: 4, ...discrete, ...consistent }],
  [plugins.tcd({ steps: 50, eta: 0.3, clip: 2 }), { nfe: 50, ...discrete, ...noisy }],
  [plugins.renoise({ sigmas: [80, 10, 1] }), { nfe: 3, ...consistent }],
  [plugins.renoise({ sigmas: [80] }), { nfe: 1, model: "consistency" }],
  [plugins.meanFlowSampler({ sigmas: karrasSigmas(40, { sigmaMin: 0.02, sigmaMax: 80 }) }), { nfe: 40 }],
  [plugins.trajectorySampler({ sigmas: karrasSigmas(40, { sigmaMin: 0.02, sigmaMax: 80 }) }), { nfe: 40 }],
  [plugins.trajectorySampler({ sigmas: [80, 10, 1], gamma: 1 }), { nfe: 3, ...consistent }],
];
for (const [plugin, setting] of samplers)
  test(`sampler ${plugin.name}, ${setting.nfe} calls`, () => testSampler(plugin, { backends, ...setting }));

const image: DataShape = { sample: [1, 4, 4], condition: classLabel(3), sigmaData: 0.5 };
const vector = (...shape: number[]): ConditionEntry => ({ shape, dtype: "f32", empty: "stored" });
const described = (condition: DataShape["condition"]): DataShape => ({
  sample: [2, 4, 4],
  condition,
  sigmaData: 1,
});
const net = { channels: 8, channelMult: [1, 2], blocks: 1, attention: [2] };
const unet = {
  channels: [8, 8],
  layersPerBlock: [1, 1],
  downBlocks: ["DownBlock2D", "CrossAttnDownBlock2D"],
  upBlocks: ["CrossAttnUpBlock2D", "UpBlock2D"],
  heads: [1, 2],
  transformerLayers: [1, 1],
  groups: 4,
} as const;
const networks: [ConfiguredPlugin, DataShape][] = [
  [plugins.mlp({ width: 16, depth: 2 }), { ...plain, condition: classLabel(4) }],
  [plugins.mlp({ width: 5, depth: 1, bands: 1 }), plain],
  [plugins.adm({ ...net, channelsPerHead: 8 }), image],
  [plugins.adm({ ...net, channelsPerHead: 8 }), { ...image, sample: [1, 4, 6] }],
  [plugins.song(net), image],
  [
    plugins.song({
      ...net,
      embedding: "fourier",
      noiseMult: 2,
      encoder: "residual",
      resampleFilter: [1, 3, 3, 1],
    }),
    { ...image, condition: {} },
  ],
  [plugins.dit({ width: 8, heads: 2, depth: 2 }), { ...image, sample: [1, 4, 6] }],
  [plugins.unet2d(unet), described({ text: vector(3, 6) })],
  [
    plugins.unet2d({ ...unet, timeIdWidth: 4 }),
    described({ text: vector(3, 6), pooled: vector(5), timeIds: vector(6) }),
  ],
];
for (const [plugin, shape] of networks)
  test(`network ${plugin.name} of ${JSON.stringify(shape.condition)}`, () => testNetwork(plugin, { backends, shape }));

const grey = (...shape: number[]) =>
  bytes(
    shape,
    numbers(shape).map((each) => 127 * (each + 1)),
  );
const row = (...shape: number[]) => floats(shape, numbers(shape));
const records = (...labels: number[]) =>
  Uint8Array.from(labels.flatMap((label) => [label, ...Array.from({ length: 3072 }, (_, i) => (label + i) & 255)]));
const digits = (count: number) => ({
  images: idxBytes([count, 28, 28], grey(count * 784).data as Uint8Array),
  labels: idxBytes(
    [count],
    Uint8Array.from({ length: count }, (_, i) => i % 10),
  ),
});
const [train, held] = [digits(12), digits(3)];
const digitFiles = dataFolder({
  "train-images-idx3-ubyte": train.images,
  "train-labels-idx1-ubyte": train.labels,
  "t10k-images-idx3-ubyte": held.images,
  "t10k-labels-idx1-ubyte": held.labels,
});
const binaries = dataFolder({ "data_batch_1.bin": records(3, 4, 0), "test_batch.bin": records(5) });
const shards = dataFolder({
  "a.safetensors": { x: grey(2, 1, 2, 2), label: longs([2, 0]) },
  "b.safetensors": { x: grey(3, 1, 2, 2), label: longs([1, 1, 0]) },
});
const latents = {
  x: row(4, 4, 2, 2),
  text: row(4, 3, 2),
  pooled: row(4, 5),
  timeIds: row(4, 6),
};
const empty = { "unconditional.text": row(3, 2), "unconditional.pooled": row(5) };
const utf8 = (text: string) => new TextEncoder().encode(text);
const classes = { "cat/1.png": picture(1), "cat/2.png": picture(9), "dog/1.png": picture(70) };

const archive = zipFile({
  "arr_0.npy": npyFile("|u1", [3, 2, 2, 1], grey(12).data as Uint8Array),
  "arr_1.npy": npyFile("<i8", [3], BigInt64Array.of(2n, 0n, 1n)),
});

const archives = toldFolder({
  "a.zip": zipFile({
    "b.png": picture(1),
    "a.png": picture(5),
    "dataset.json": utf8('{"labels": [["a.png", 1], ["b.png", 0]]}'),
  }),
  "a.tar": tarFile({ "a.png": picture(1), "a.txt": utf8("one"), "b.png": picture(9), "b.txt": utf8("nine") }),
  "captions.json":
    '{"images": [{"id": 1, "file_name": "x.png"}, {"id": 2, "file_name": "y.png"}], "annotations": [{"image_id": 1, "caption": "a picture"}, {"image_id": 2, "caption": "another"}]}',
  "x.png": picture(3),
  "y.png": picture(4),
});

const datasets: [ConfiguredPlugin, DatasetTest?][] = [
  [plugins.gaussiansDataset({ modes: 5, displaced: [0] })],
  [plugins.mnistDataset(), { folder: digitFiles }],
  [plugins.mnistDataset({ resolution: 28 }), { folder: digitFiles }],
  [plugins.cifar10Dataset({ batches: 1 }), { folder: binaries }],
  [plugins.cifar10Dataset({ batches: 1, conditional: false }), { folder: binaries }],
  [plugins.imagesDataset({ classes: 3 }), { folder: shards }],
  [plugins.imagesDataset(), { folder: shards }],
  [plugins.latentsDataset(), { folder: dataFolder({ "a.safetensors": { ...latents, ...empty } }) }],
  [plugins.latentsDataset({ unconditional: "zero" }), { folder: dataFolder({ "a.safetensors": latents }) }],
  [plugins.npzDataset({ classes: 3 }), { folder: { files: memoryFiles({ "data/a.npz": archive }), path: "data" } }],
  [plugins.edmZipDataset(), { folder: archives }],
  [plugins.edmZipDataset({ classes: 0, check: false }), { folder: archives }],
  [plugins.webdatasetDataset(), { folder: archives }],
  [plugins.cocoDataset(), { folder: archives }],
  [plugins.picturesDataset({ classes: 2 }), { folder: dataFolder(classes) }],
  [plugins.picturesDataset({ holdOut: 0.5 }), { folder: dataFolder(classes) }],
  [plugins.picturesDataset(), { folder: dataFolder({ "a.png": picture(0), "b.png": picture(8) }) }],
];
for (const [plugin, setting] of datasets)
  test(`dataset ${plugin.name} ${JSON.stringify(plugin.options)}`, () => testDataset(plugin, setting));

// What Inception sees does not matter to what is promised of a metric.
const inception = { plugins: [smallInception()] };
const dinov2 = { plugins: [smallExtractor("dinov2", "cls")()] };
const clip = { plugins: [smallExtractor("clip-vision", "embeds")()] };
const towers = { plugins: [...clip.plugins, smallEncoder()] };
const prompts = Array.from({ length: 180 }, (_, i) => `prompt ${i * i}`).join("\n");
const named = { ...image, condition: classLabel(3, ["cat", "dog", "emu"]) };
const vgg = { plugins: [smallVgg()] };
const metrics: [ConfiguredPlugin, Omit<MetricTest, "backends">][] = [
  [plugins.gaussianModes({ directions: 16 }), { dataset: plugins.gaussiansDataset(), count: 300 }],
  [plugins.patchDistance({ directions: 4 }), {}],
  [plugins.patchDistance(), { shape: { sample: [3, 30, 14], condition: {}, sigmaData: 0.5 } }],
  [plugins.classifierFrechet(), { shape: image, plugins: [plugins.classifier({ epochs: 1 })] }],
  [plugins.fid(), inception],
  [plugins.fid({ sumStartsAtOnes: true, bytes: "edm" }), inception],
  [plugins.sfid(), inception],
  [plugins.kid({ subsets: 5, subsetSize: 20 }), inception],
  [plugins.inceptionScore({ splits: 3 }), inception],
  [plugins.precisionRecall({ size: 6 }), inception],
  [plugins.patchFid({ cut: 6 }), inception],
  [plugins.mind({ directions: 20, samples: 50 }), inception],
  [plugins.fdDinov2({ parts: 0 }), dinov2],
  [plugins.cmmd({ sigma: 0.5 }), clip],
  [plugins.clipScore({ prompts: "prompts", size: 6 }), { ...towers, folder: { files: memoryFiles({ prompts }) } }],
  [plugins.clipScore({ template: "a {}" }), { ...towers, shape: named }],
  [plugins.lpipsDiversity({ size: 6 }), vgg],
  [plugins.lpipsDiversity({ size: 0, by: "label", each: 3, range: "signed" }), vgg],
  [plugins.featureDiversity({ each: 4 }), dinov2],
  [plugins.featureDiversity({ by: "prompt", each: 3, extractor: "inception" }), inception],
  [plugins.cmmd({ sigma: 0.5, unbiased: true }), clip],
];
for (const [plugin, setting] of metrics)
  test(`metric ${plugin.name} ${JSON.stringify(plugin.options)}`, () => testMetric(plugin, { backends, ...setting }));

test("no loss, sampler, network, dataset or metric of ours is left out", () => {
  const tested = [losses, samplers, networks, datasets, metrics].flat().map(([{ kind, name }]) => `${kind} ${name}`);
  const ours = allPlugins
    .map(({ definition: { kind, name } }) => `${kind} ${name}`)
    .filter((each) => /^(loss|sampler|network|dataset|metric) /.test(each));
  assert.equal([...new Set(tested)].sort(), ours.sort());
});

test.run();
