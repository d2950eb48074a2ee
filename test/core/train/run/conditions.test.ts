// A kind of condition that core has never heard of, brought by a data set and a network of a test.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { ownSampler } from "../../../../core/diffusion/mod.ts";
import { OnestepError } from "../../../../core/errors.ts";
import {
  type ConditionShape,
  DATASET_SOURCE,
  type Dataset,
  GENERATOR,
  type HostArray,
  NETWORK,
  type Network,
} from "../../../../core/interfaces/mod.ts";
import { linear } from "../../../../core/nn/mod.ts";
import { concat, reshape, silu } from "../../../../core/ops/mod.ts";
import { boolean, definePlugin } from "../../../../core/plugin/mod.ts";
import {
  composeSampling,
  decodeWeights,
  drawBatch,
  mergeConfig,
  Player,
  Run,
  resolveConfig,
  SampleDrawer,
} from "../../../../core/train/mod.ts";
import { guided } from "../../../../plugins/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { registry, statesOf, tiny } from "../support.ts";

const test = suite("core/train (conditions of any kind)");

/** A picture to go by, which guidance sets to zero, and one number, which it keeps. */
const condition: ConditionShape = {
  image: { shape: [1, 4, 4], dtype: "f32", empty: "zero" },
  scale: { shape: [], dtype: "f32", empty: "same" },
};

/** Points whose place follows from a picture: its mean, and its scale. */
const pictured = definePlugin({
  name: "pictured",
  kind: "dataset",
  token: DATASET_SOURCE,
  about: "Points described by a picture and a number",
  options: {},
  create: async (): Promise<Dataset> => ({
    name: "pictured",
    shape: { sample: [2], condition, sigmaData: 1 },
    size: 100,
    batch(which, random) {
      const rows =
        typeof which === "number" ? Array.from({ length: which }, () => Math.floor(100 * random())) : Array.from(which);
      const image = Float32Array.from(rows.flatMap((row) => Array<number>(16).fill(row / 100)));
      const scale = Float32Array.from(rows, (row) => 1 + (row % 3));
      const x = Float32Array.from(rows.flatMap((row, i) => [row / 100, scale[i]]));
      return { x, condition: { image, scale } };
    },
  }),
});

/** A perceptron of point, noise level, picture and number. */
const looking = definePlugin({
  name: "looking",
  kind: "network",
  token: NETWORK,
  about: "Perceptron of a point and what describes it",
  options: { blind: boolean({ default: false, about: "whether it leaves the picture unread" }) },
  create({ blind }): Network {
    const features: Network["features"] = (scope, x, cNoise, given) => {
      const B = x.shape[0];
      const parts = [x, reshape(cNoise, [B, 1]), reshape(given.scale!, [B, 1])];
      if (!blind) parts.push(reshape(given.image!, [B, 16]));
      return silu(linear(scope.at("in"), concat(parts, 1), 6));
    };
    return {
      features,
      apply: (scope, ...inputs) => linear(scope.at("out"), features(scope, ...inputs), 2),
    };
  },
});

const resolved = (over: object = {}) =>
  resolveConfig(
    mergeConfig(tiny, {
      dataset: { use: "pictured" },
      network: { use: "looking" },
      method: { ttur: { critic: 1 }, teacher: { steps: 2, batch: 4 } },
      train: { steps: 2, batch: 4, evaluateCount: 6 },
      ...over,
    }),
    registry().register([pictured, looking, guided]),
  );

/** Runs to the end, or stops after so many steps of all stages. */
async function finish(over: object, files = memoryFiles(), existing?: "resume", stopAt = -1) {
  const output = { files, path: "out", existing };
  const request = { resolved: resolved(over), backend: new ReferenceBackend(), output };
  const run = await Run.create(request);
  let steps = 0;
  run.bus.on("step/end", () => void (++steps === stopAt && run.stop()));
  await run.start();
  const states = await statesOf(run);
  return { run, files, states };
}

test("two steps of DMD2, the same in parts and after a stop", async () => {
  const { run, states } = await finish({});
  assert.equal(
    Object.values(run.trainer.players).map(({ updates }) => updates),
    [2, 2, 2],
  );
  for (const name of ["generator.weights.0", "critic.weights.0"])
    assert.ok(
      states[name].some((value, i) => value !== states["teacher.average.0"][i]),
      name,
    );
  const drawn = await run.draw("generator", 6);
  assert.equal(Object.keys(drawn.condition), ["image", "scale"]);
  assert.equal([...drawn.condition.scale], [1, 2, 3, 1, 2, 3], "those of the data, in turn");
  await run.dispose();

  for (const stopAt of [1, 3]) {
    const stopped = await finish({}, memoryFiles(), undefined, stopAt);
    await stopped.run.dispose();
    const resumed = await finish({}, stopped.files, "resume");
    assert.equal(resumed.states, states);
    await resumed.run.dispose();
  }
  const train = { steps: 2, batch: 4, evaluateCount: 6, accumulate: 2 };
  const parts = await finish({ train });
  for (const [name, values] of Object.entries(states))
    for (const [i, value] of values.entries()) assert.ok(Math.abs(value - parts.states[name][i]) < 1e-5, name);
  await parts.run.dispose();
});

test("weights know their conditions: samples are drawn of those that are given", async () => {
  const { run, files } = await finish({});
  await run.dispose();
  const { info, tensors } = decodeWeights(files.contents.get("out/generator.safetensors")!, "g");
  assert.equal(info.data.condition, condition);
  const backend = new ReferenceBackend();
  const { plugins } = resolveConfig(info.config, registry().register([pictured, looking, guided]));
  const container = composeSampling(plugins, backend, info.data);
  const generator = container.get(GENERATOR);
  const memory = backend.createMemory();
  const player = new Player("generator", generator, memory);
  player.load(tensors);
  const sampler = ownSampler(generator);
  const batch = drawBatch(info.data, 3);
  const drawer = await SampleDrawer.create(backend, memory, player, sampler, info.data, batch);
  const draw = async (image: HostArray, scale = Float32Array.of(1, 1, 1)) => [
    ...(await drawer.draw({ count: 3, seed: 5, condition: { image, scale } })).x,
  ];
  const dark = new Float32Array(48);
  const bright = dark.map((_, i) => (i < 16 ? 0 : 1));
  const [plain, lit, scaled] = [await draw(dark), await draw(bright), await draw(dark, Float32Array.of(1, 1, 3))];
  assert.equal(lit.slice(0, 2), plain.slice(0, 2), "the first is told the same");
  assert.ok(
    lit.slice(2).every((value, i) => value !== plain[2 + i]),
    "the picture counts",
  );
  assert.equal(scaled.slice(0, 4), plain.slice(0, 4));
  assert.ok(scaled[4] !== plain[4], "the number counts");
  const error = await draw(new Float32Array(47)).catch((reason) => reason);
  assert.is(error.code, "E_OPTION");
  assert.match(error.message, /of image, expected one for each$/);
});

test("a teacher is guided away from the empty picture, in one call", async () => {
  const { run, states } = await finish({
    teacher: { use: "guided", guidanceScale: 2 },
    losses: { "edm-denoising": false },
    optimizers: { teacher: false },
    averages: { teacher: false },
  });
  assert.ok(Object.values(states).every((values) => values.every(Number.isFinite)));
  await run.dispose();
});

test("a network that leaves an entry unread is refused by name", async () => {
  const error = await Run.create({
    resolved: resolved({ network: { use: "looking", blind: true } }),
    backend: new ReferenceBackend(),
  }).catch((reason) => reason);
  assert.instance(error, OnestepError);
  assert.is(error.code, "E_CONFIG");
  assert.is(
    error.message,
    "Cannot train looking on pictured: the data describe their samples by image, which the network does not read",
  );
  const other = await Run.create({
    resolved: resolved({ network: { use: "mlp", width: 6 } }),
    backend: new ReferenceBackend(),
  }).catch((reason) => reason);
  assert.match(other.message, /^Cannot train mlp on pictured: .* by image, scale, which/);
});

test.run();
