import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { edmProcess, flowProcess, type RawNetwork } from "../../../../core/diffusion/mod.ts";
import { failure, OnestepError } from "../../../../core/errors.ts";
import {
  AVERAGES,
  BACKEND,
  CRITIC,
  DATA_FOLDER,
  DATA_SHAPE,
  DATASET,
  DATASET_SOURCE,
  GENERATOR,
  LOSSES,
  METHOD,
  NETWORK,
  OPTIMIZERS,
  PROCESS,
  SAMPLER,
  TEACHER,
} from "../../../../core/interfaces/mod.ts";
import { definePlugin, Registry } from "../../../../core/plugin/mod.ts";
import { composeRun, composeSampling, mergeConfig, planRun, Run, resolveConfig } from "../../../../core/train/mod.ts";
import { allPlugins } from "../../../../plugins/all.ts";
import { rectifiedFlow } from "../../../../plugins/mod.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { evaluate, Feed, numbers } from "../../../plugins/support.ts";
import { noiseImages, registry, tiny, tinyConfig } from "../support.ts";

const test = suite("core/train/compose");

test("composeRun: a container with device, loaded data and every plugin", async () => {
  const backend = new ReferenceBackend();
  const container = await composeRun(tinyConfig(), backend, { path: "data" });
  assert.is(container.get(BACKEND), backend);
  assert.equal(container.get(DATA_FOLDER), { path: "data" });
  assert.equal(container.get(DATA_SHAPE), container.get(DATASET).shape);
  assert.equal(
    container.all(LOSSES).map(({ name }) => name),
    Object.keys(tinyConfig().config.losses),
  );
});

test("composeRun: rejects with the fault of the data", async () => {
  const missing = definePlugin({
    name: "missing",
    kind: "dataset",
    token: DATASET_SOURCE,
    about: "Data that are not there",
    options: {},
    create: () => Promise.reject(failure("E_DATA", "Cannot read data: there are none")),
  });
  const plugins = [missing(), ...tinyConfig().plugins.filter(({ kind }) => kind !== "dataset")];
  const error = await composeRun({ ...tinyConfig(), plugins }, new ReferenceBackend(), {}).catch((reason) => reason);
  assert.instance(error, OnestepError);
  assert.is(error.code, "E_DATA");
});

/** The tiny experiment on labelled images, its teacher guided. */
const guidedBy = (labelDropout: number, precision = "f32") => {
  const { config } = tinyConfig();
  return resolveConfig(
    {
      ...config,
      dataset: { use: "noise-images" },
      network: {
        use: "adm",
        channels: 8,
        channelMult: [1],
        blocks: 1,
        attention: [],
        labelDropout,
      },
      teacher: { use: "guided", guidanceScale: 2 },
      losses: { ...config.losses, "edm-denoising": false },
      train: { ...config.train, precision: { teacher: precision, generator: precision } },
    },
    new Registry().register([...allPlugins, noiseImages]),
  );
};

test("composeRun: a class-conditional teacher is guided where its network has done without classes", async () => {
  for (const precision of ["f32", "f16"]) {
    const resolved = guidedBy(0.1, precision);
    const backend = new ReferenceBackend();
    const container = await composeRun(resolved, backend, {});
    assert.is(container.get(NETWORK).knowsNoClass, true);
    assert.ok(container.get(TEACHER));
    const { stages } = await planRun(container, resolved.settings, backend);
    assert.equal(
      stages.map(({ stage }) => stage),
      ["distillation", "samples"],
    );
  }
});

test("composeRun: and refused where it has not", async () => {
  const resolved = guidedBy(0);
  const container = await composeRun(resolved, new ReferenceBackend(), {});
  const error = thrown(() => container.get(TEACHER));
  assert.is(error.code, "E_OPTION");
  assert.match(error.message, /never seen a sample without its class/);
  const run = await Run.create({ resolved, backend: new ReferenceBackend() }).catch((e) => e);
  assert.is(run.code, "E_OPTION");
});

test("composeRun: the network's wrapper keeps every member, and the network itself", async () => {
  const container = await composeRun(guidedBy(0.1), new ReferenceBackend(), {});
  const network = container.get(NETWORK);
  for (const part of ["apply", "features", "middle"] as const) assert.type(network[part], "function");
  const plain = await composeRun(tinyConfig(), new ReferenceBackend(), {});
  assert.is(plain.get(NETWORK).middle, undefined, "an mlp has none");
});

test("composeRun: teacher and generator are under the run's process", async () => {
  const denoised = async (over: object) => {
    const resolved = resolveConfig(mergeConfig(tiny, over), registry().register([rectifiedFlow]));
    const container = await composeRun(resolved, new ReferenceBackend(), {});
    const feed = new Feed();
    const teacher = container.get(TEACHER);
    const network = container.get(NETWORK);
    const { scope } = feed.fresh("teacher.", (s) => teacher.declare(s), 3);
    const x = feed.tensor("x", [3, 2], numbers([3, 2]));
    const sigma = feed.tensor("sigma", [3], [0.1, 1, 5]);
    const F: RawNetwork = (...inputs) => network.apply(scope, ...inputs);
    const flow = flowProcess().denoiser(F).denoise(x, sigma, {});
    const edm = edmProcess(container.get(DATA_SHAPE).sigmaData).denoiser(F).denoise(x, sigma, {});
    const D = teacher.bind(scope).denoise(x, sigma, {});
    const G = container.get(GENERATOR).bind(scope).denoise(x, sigma, {});
    return evaluate({ D, G, flow, edm }, feed);
  };
  const flow = await denoised({ process: { use: "rectified-flow" } });
  assert.equal(flow.D, flow.flow);
  assert.equal(flow.G, flow.flow);
  assert.not.equal(flow.D, flow.edm);
  const plain = await denoised({});
  assert.equal(plain.D, plain.edm);
  assert.equal(plain.G, plain.edm);
});

test("composeSampling: what sampling needs, and no data", () => {
  const shape = { sample: [2], condition: {}, sigmaData: 0.7 };
  const container = composeSampling(tinyConfig().plugins, new ReferenceBackend(), shape);
  for (const token of [NETWORK, TEACHER, GENERATOR, CRITIC, SAMPLER, METHOD, PROCESS])
    assert.ok(container.get<unknown>(token));
  assert.is(container.get(DATA_SHAPE), shape);
  for (const token of [DATASET, DATASET_SOURCE, LOSSES, OPTIMIZERS, AVERAGES])
    assert.not(container.has<unknown>(token), token.name);
});

test.run();
