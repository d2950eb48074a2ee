import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { BALANCERS, DATASET, METHOD, type Method } from "../../../core/interfaces/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { composeRun, EventBus, mergeConfig, resolveConfig, Trainer } from "../../../core/train/mod.ts";
import { config as preset } from "../../../examples/gaussians/methods/dmd2.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { gradientBalance } from "../../../plugins/balancers/gradientBalance.ts";
import { distributionMatching } from "../../../plugins/losses/distributionMatching.ts";
import { ganGenerator } from "../../../plugins/losses/ganGenerator.ts";
import { beginAll, stageOf } from "../../core/train/support.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose } from "../support.ts";

const test = suite("plugins/balancers/gradientBalance");

type Options = Parameters<typeof gradientBalance>[0];
const balancerOf = (options?: Options) =>
  compose(
    { sample: [2], condition: {}, sigmaData: 0.5 },
    distributionMatching(),
    ganGenerator(),
    gradientBalance(options),
  )
    .value(METHOD, { maker: "generator" } as Method, "the test")
    .all(BALANCERS)[0];
const seen = (gan: number, dm: number) => ({
  "image-gradient gan-generator": gan,
  "image-gradient distribution-matching": dm,
});
const weights = { "gan-generator": 0.02, "distribution-matching": 1 };

test("is a well-formed plugin", () => checkPlugin(gradientBalance, { ratio: 0.5, speed: 1 }));

test("at full speed one look makes the norms stand in the wanted ratio", () => {
  const next = balancerOf({ ratio: 0.5, speed: 1 }).rebalance(seen(4, 2), weights);
  // A norm grows with its weight: 4 · (0.005/0.02) = 1 = 0.5 · 2.
  assert.equal(Object.keys(next), ["gan-generator"]);
  assert.ok(Math.abs(next["gan-generator"] - 0.005) < 1e-12);
});

test("slower looks move part of the way, within the bounds", () => {
  const half = balancerOf({ ratio: 0.5, speed: 0.5 }).rebalance(seen(4, 2), weights);
  assert.ok(Math.abs(half["gan-generator"] - 0.01) < 1e-12);
  const bounded = balancerOf({ ratio: 0.5, speed: 1, lowest: 0.015 });
  assert.equal(bounded.rebalance(seen(4, 2), weights), { "gan-generator": 0.015 });
});

test("leaves the weight alone while a gradient is 0 or not finite", () => {
  for (const values of [seen(4, 0), seen(0, 2), seen(Number.NaN, 2), seen(4, Infinity)])
    assert.equal(balancerOf().rebalance(values, weights), {});
});

test("names the losses there are when one is not among them", () => {
  assert.match(
    thrown(() => balancerOf({ loss: "gan-generatr" })).message,
    /^Cannot balance "gan-generatr": it is not one of the losses of the role that makes the images, distribution-matching, gan-generator.*did you mean/,
  );
});

test("a run follows it: weights change after each look, and the log says so", async () => {
  const registry = new Registry().register(allPlugins);
  const over = (train: object) =>
    resolveConfig(
      mergeConfig(preset, {
        network: { width: 8, depth: 2 },
        balancers: { "gradient-balance": { ratio: 1, speed: 1 } },
        train: { ...train, batch: 4 },
      }),
      registry,
    );
  const blind = over({ steps: 11 });
  const container = await composeRun(blind, new ReferenceBackend(), {});
  const make = ({ settings }: typeof blind, bus = new EventBus()) =>
    new Trainer(container, new ReferenceBackend(), container.get(DATASET), bus, settings);
  assert.match(thrown(() => make(blind)).message, /train\.diagnoseEvery is 0/);

  const bus = new EventBus();
  const found: number[] = [];
  bus.on("loss/reweighted", ({ weight }) => void found.push(weight));
  const trainer = make(over({ steps: 11, diagnoseEvery: 5 }), bus);
  await beginAll(trainer);
  await trainer.train(stageOf(trainer, "distillation"));
  // The first look finds no pull of distribution matching: the critic is still the teacher.
  assert.is(found.length, 2);
  assert.is(trainer.changedWeights.get("gan-generator"), found[1]);
  assert.ok(found.every((weight) => weight > 0 && weight !== 0.03));
  trainer.dispose();
});

test.run();
