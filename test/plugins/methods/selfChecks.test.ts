/**
 * What must hold of DMD2 whatever the numbers. Beside these: the critic that is still the teacher (trainer.test.ts), identity
 * and sign of the gradient (distributionMatching.test.ts), losses of a blind discriminator (ganGenerator.test.ts,
 * ganDiscriminator.test.ts), calls of backward simulation (fewStep.test.ts).
 */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { mixtureDenoiser, precondition, renoiseSampler, sigmaGrid } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { DATASET, GENERATOR, type GeneratorNetwork, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul, square, sub } from "../../../core/ops/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import {
  Control,
  composeRun,
  EventBus,
  mergeConfig,
  type Player,
  resolveConfig,
  SampleDrawer,
  Trainer,
} from "../../../core/train/mod.ts";
import { allPlugins, distributionMatching, dmd2, ganDiscriminator } from "../../../plugins/all.ts";
import { beginAll, stageOf } from "../../core/train/support.ts";
import { moments } from "../../helpers/moments.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/methods (self-checks of DMD2)");

const registry = new Registry().register(allPlugins);
const levels = { sigmaMax: 10, levels: 200 };
const small = mergeConfig(
  {
    ...dmd2,
    dataset: { use: "gaussians", modes: 1, deviation: 0.3, sigmaData: 1 },
    network: { use: "mlp", width: 16, depth: 2, bands: 2 },
  },
  {
    teacher: { use: "gaussian-mixture", modes: 1, deviation: 0.3 },
    generator: { sigmas: [10] },
    losses: {
      "edm-denoising": false,
      "distribution-matching": levels,
      "fake-score": levels,
      "gan-generator": levels,
      "gan-discriminator": levels,
    },
    optimizers: { generator: { lr: 5e-3, warmup: 0 }, critic: { lr: 1e-2, warmup: 0 } },
    averages: { teacher: false },
    train: { batch: 32, steps: 20 },
  },
);

async function trainer(over: object) {
  const resolved = resolveConfig(mergeConfig(small, over), registry);
  const backend = new ReferenceBackend();
  const container = await composeRun(resolved, backend, {});
  const { settings } = resolved;
  const made = new Trainer(container, backend, container.get(DATASET), new EventBus(), settings);
  await beginAll(made);
  return { trainer: made, distillation: stageOf(made, "distillation"), container };
}

test("4: λ = σ⁻² + σ_d⁻² is (σ² + σ_d²)/(σ σ_d)², and cOut² λ = 1 over the whole grid", async () => {
  const grid = sigmaGrid(1000, { sigmaMin: 0.002, sigmaMax: 80 });
  for (const [index, sigma] of Object.entries({ 0: 0.002, 100: 0.0167514, 500: 2.52651, 999: 80 }))
    assert.ok(Math.abs(grid[Number(index)] / sigma - 1) < 1e-5);
  const feed = new Feed();
  const { cOut } = precondition(feed.tensor("sigma", [1000], grid), 0.5, 1);
  const { squared } = await evaluate({ squared: square(cOut) }, feed, "f64");
  for (const [i, sigma] of grid.entries()) {
    const lambda = sigma ** -2 + 4;
    assert.ok(Math.abs(lambda / ((sigma ** 2 + 0.25) / (sigma * 0.5) ** 2) - 1) < 1e-12);
    assert.ok(Math.abs(squared[i] * lambda - 1) < 1e-6);
  }
});

test("6: a discriminator loss gives the critic's decoder no gradient, and nobody a gradient of the generated images", async () => {
  const feed = new Feed();
  const shape = { sample: [3], condition: {}, sigmaData: 0.5 };
  const [x, real] = ["x", "real"].map((name, i) => feed.tensor(name, [2, 3], numbers([2, 3], i)));
  const [encoder, decoder] = ["e", "d"].map((name) => feed.tensor(name, [1], [0.7]));
  const critic = {
    denoise: (xt: Tensor) => mul(mul(xt, encoder), decoder),
    discriminate: (xt: Tensor) => mul(sub(xt, 0.1), encoder),
  };
  const loss = compose(shape, ganDiscriminator())
    .all(LOSSES)[0]
    .compute({
      generated: { x, condition: {} },
      real: { x: real, condition: {} },
      critic,
      noise: feed.noise(),
    } as unknown as LossContext);
  const [dEncoder, dDecoder, dx] = grad(loss, [encoder, decoder, x]);
  assert.is(dDecoder.attrs.value, 0);
  assert.is(dx.attrs.value, 0);
  const { slope } = await evaluate({ slope: dEncoder }, feed);
  assert.ok(Math.abs(slope[0]) > 1e-3);
});

test("6: a turn of one role leaves weights and moments of the other as they are", async () => {
  const { trainer: made, distillation } = await trainer({
    method: { ttur: { critic: 1, generator: 1, exclusive: true } },
  });
  const { generator, critic } = made.players;
  const states = async () => [await generator.readAll(), await critic.readAll()];
  const [g0, c0] = await states();
  const step = async (start: number) => {
    const control = new Control([{ step: start + 1, command: { type: "stop" } }]);
    await made.train(distillation, { start, control });
    return states();
  };
  const [g1, c1] = await step(0);
  assert.not.equal(g1, g0);
  assert.equal(c1, c0);
  const [g2, c2] = await step(1);
  assert.equal(g2, g1);
  assert.not.equal(c2, c1);
});

test("8, 9: with an exact critic the gradient carries the generator's Gaussian to the teacher's, with no oscillation", async () => {
  // x = m + s·z against N(1, 0.3²) in each of two dimensions; the critic is the exact denoiser of the generator's Gaussian.
  const target = { mean: 1, deviation: 0.3 };
  const shape = { sample: [2], condition: {}, sigmaData: 1 };
  const [loss] = compose(shape, distributionMatching({ ...levels, normalise: "none" })).all(LOSSES);
  const gaussian = (mean: number, deviation: number) =>
    mixtureDenoiser({ means: [[mean, mean]], deviations: [deviation], weights: [1] });
  let [m, s] = [-1, 1];
  const path: number[] = [];
  for (let step = 0; step < 60; step++) {
    const feed = new Feed();
    const [mean, spread] = [feed.tensor("m", [1], [m]), feed.tensor("s", [1], [s])];
    const x = add(mean, mul(spread, feed.noise(step).normal([64, 2])));
    const value = loss.compute({
      generated: { x, condition: {} },
      noise: feed.noise(1000 + step),
      shared: {},
      teacher: gaussian(target.mean, target.deviation),
      critic: gaussian(m, s),
    } as unknown as LossContext);
    const [dm, ds] = grad(value, [mean, spread]);
    const read = await evaluate({ dm, ds }, feed);
    m -= 0.5 * read.dm[0];
    s -= 0.5 * read.ds[0];
    path.push(m);
  }
  assert.ok(Math.abs(m - 1) < 0.02, `mean ${m}`);
  assert.ok(Math.abs(s - 0.3) < 0.02, `deviation ${s}`);
  const back = path.slice(1).map((value, i) => Math.max(0, path[i] - value));
  assert.ok(Math.max(...back) < 0.02, "the mean comes nearer at every step");
});

test("8: at 5 : 1 the mean of the samples follows the target, and stays", async () => {
  const {
    trainer: made,
    distillation,
    container,
  } = await trainer({
    losses: { "gan-generator": false, "gan-discriminator": false },
    train: { steps: 360 },
  });
  const sampler = renoiseSampler(container.get(GENERATOR).sigmas);
  const { shape } = container.get(DATASET);
  const drawer = await SampleDrawer.create(
    new ReferenceBackend(),
    made.memory,
    made.players.generator as Player<GeneratorNetwork>,
    sampler,
    shape,
    200,
  );
  const distances: number[] = [];
  for (let start = 0; start < distillation.steps; start += 60) {
    const control = new Control([{ step: start + 60, command: { type: "stop" } }]);
    await made.train(distillation, { start, control });
    const { x } = await drawer.draw({ count: 200, seed: 1 });
    const mean = (axis: number) => moments(x.filter((_, i) => i % 2 === axis)).mean;
    distances.push(Math.hypot(mean(0) - 1, mean(1)));
  }
  assert.ok(distances[0] > 0.3, `after 12 updates ${distances}`);
  for (const late of distances.slice(-2)) assert.ok(late < 0.2, `${distances}`);
});

test.run();
