import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { OnestepError } from "../../../core/errors.ts";
import { grad } from "../../../core/graph/mod.ts";
import { type Denoiser, GENERATOR, LOSSES, type LossContext, type Network } from "../../../core/interfaces/mod.ts";
import { div, mul, square, sum } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { matchingEffect, movedLosses } from "../../../plugins/losses/shared/decoupled.ts";
import { matchingLoss } from "../../../plugins/losses/shared/matching.ts";
import { dpDmd } from "../../../plugins/methods/dpDmd.ts";
import * as plugins from "../../../plugins/mod.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, GivenNoise, numbers } from "../support.ts";
import { createdRun, finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods (DP-DMD)");

const shape = { sample: [2], condition: {}, sigmaData: 1 };
const scaled = (factor: number): Denoiser => ({ denoise: (x) => mul(x, factor) });

/** F = gain·x, the same at every level. */
const gain = definePlugin({
  name: "gain",
  kind: "network",
  about: "one number times x",
  options: {},
  create: (): Network => {
    const apply: Network["apply"] = (scope, x) =>
      mul(x, scope.parameter("gain", [1], { kind: "constant", value: 0.5 }));
    return { apply, features: apply };
  },
});

test("generator and loss are well-formed plugins", () => {
  checkPlugin(plugins.rollout, { sigmas: [10, 3, 1] });
  checkPlugin(plugins.firstStep, { anchor: 3 });
  checkPlugin(plugins.dpDmdMethod);
});

test("the rollout is what the method's sampler makes of the same noise, and its first step gets no gradient", async () => {
  for (const cut of [true, false]) {
    const container = compose(shape, gain(), plugins.rollout({ sigmas: [8, 2, 0.5], cut }));
    const feed = new Feed();
    const weights = feed.weights("g.", () => [0.5]);
    const network = container.get(GENERATOR).bind(weights.scope);
    const z = numbers([4, 2]);
    const made = network.generate(4, {}, new GivenNoise([feed.tensor("z", [4, 2], z)]));
    const [slope] = grad(sum(square(made)), [weights.tensors.get("gain")!]);
    // By hand: D(x; σ) = a(σ)·x, and x ← x·(a + k(1 − a)) from level to level.
    const at = (g: number, first = g) => {
      const a = (sigma: number, own: number) => 1 / (1 + sigma ** 2) + (sigma / (1 + sigma ** 2)) * own;
      const move = (sigma: number, next: number, own: number) => a(sigma, own) + (next / sigma) * (1 - a(sigma, own));
      return 8 * move(8, 2, first) * move(2, 0.5, g) * move(0.5, 0, g);
    };
    const { x, dx } = await evaluate({ x: made, dx: slope }, feed, "f64");
    for (const [i, each] of x.entries()) assert.ok(Math.abs(each - at(0.5) * z[i]) < 1e-5, `${each}`);
    const squares = z.reduce((total, each) => total + each ** 2, 0);
    const value = (g: number) => at(g, cut ? 0.5 : g) ** 2 * squares;
    const expected = (value(0.5 + 1e-4) - value(0.5 - 1e-4)) / 2e-4;
    assert.ok(Math.abs(dx[0] / expected - 1) < 1e-3, `${dx[0]} of ${expected}, cut ${cut}`);
  }
});

/** The loss of the first step of a generator D = g·x, for a teacher D = x/2, whose sampler goes 8, 4, 2, 0. */
async function firstStepLoss(factor: number, anchor: number) {
  const feed = new Feed();
  const parts = [gain(), plugins.fewStep({ sigmas: [8] }), plugins.euler({ sigmas: [8, 4, 2] })];
  const [loss] = compose(shape, ...parts, plugins.firstStep({ anchor })).all(LOSSES);
  const value = loss.compute({
    generated: { x: feed.tensor("x", [512, 2], new Float32Array(1024)), condition: {} },
    generator: scaled(factor),
    teacher: scaled(0.5),
    noise: feed.noise(),
  } as unknown as LossContext);
  return (await evaluate({ value }, feed, "f64")).value[0];
}

test("first step: with the sampler's own first step it is 0 for the teacher itself, with all of them for the map to its samples", async () => {
  assert.ok((await firstStepLoss(0.5, 1)) < 1e-9, "one Euler step aims where the teacher says");
  // x ← ¾x to 4, ¾x to 2, ½x to 0; after two steps a straight one has to aim at (9/16 − 1/4)/(1 − 1/4).
  assert.ok((await firstStepLoss((9 / 16 - 1 / 4) / (3 / 4), 2)) < 1e-9);
  assert.ok((await firstStepLoss(9 / 32, 3)) < 1e-9, "knowledge distillation");
  const off = await firstStepLoss(9 / 32 + 0.1, 3);
  assert.ok(Math.abs(off / ((9 / 8) ** 2 * 0.64) - 1) < 0.15, `${off}`);
});

test("the noisy normaliser is the effect's size from x_t of a flow", async () => {
  const feed = new Feed();
  const [x, xt, real, fake] = ["x", "xt", "real", "fake"].map((name, i) =>
    feed.tensor(name, [4, 2], numbers([4, 2], i)),
  );
  const sigma = feed.tensor("sigma", [4], [1, 1, 1, 1]);
  const own = matchingLoss(x, { real, fake }, { normalise: "noisy", epsilon: 0 }, { noisy: { xt, sigma } });
  const losses: Tensor = movedLosses(x, matchingEffect(div(xt, 2), { real, fake }, { epsilon: 0, floor: 0 }));
  const { a, b } = await evaluate({ a: own, b: mul(sum(losses), 0.5 / 4) }, feed, "f64");
  assert.ok(Math.abs(a[0] / b[0] - 1) < 1e-6, `${a[0]} ${b[0]}`);
});

test("what does not fit is refused, with what would", async () => {
  const { message, fix } = await createdRun(dpDmd, { generator: { sigmas: [80] } }).then(
    () => assert.unreachable() as never,
    (error: OnestepError) => error,
  );
  assert.match(message, /^Cannot configure dp-dmd: the generator has one noise level, 80, should have two or more/);
  assert.is(fix, "set generator.sigmas=[80,10]");
  const loss = (sampler: object, own: object) =>
    thrown(() =>
      compose(shape, gain(), plugins.fewStep({ sigmas: [8] }), plugins.euler(sampler), plugins.firstStep(own)).all(
        LOSSES,
      ),
    ).message;
  assert.match(loss({ sigmas: [8, 4] }, { anchor: 3 }), /anchor is 3 and the sampler has 2 steps/);
  assert.match(loss({ sigmas: [80, 4] }, { anchor: 1 }), /begins at level 80 and the generator at 8, both should/);
});

test("the recipe: matching and the first step, five to one, drawn by Euler's steps; it runs and resumes", async () => {
  const { config, losses } = resolvedRecipe(dpDmd);
  assert.equal(config.method.ttur, { critic: 5, generator: 1, exclusive: false });
  assert.equal(losses.map(([name]) => name).sort(), [
    "distribution-matching",
    "edm-denoising",
    "fake-score",
    "first-step",
  ]);
  const small = { sampler: { steps: 6 }, losses: { "first-step": { anchor: 3 } } };
  const whole = await finished(dpDmd, small, { teacher: 2, steps: 7 });
  const parts = await finished(dpDmd, small, { teacher: 2, steps: 7 }, { stage: "distillation", step: 3 });
  assert.equal(parts.states, whole.states);
  assert.equal([...new Set(parts.nfes)], [2]);
});

test.run();
