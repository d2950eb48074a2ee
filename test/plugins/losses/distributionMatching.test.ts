import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { perSample } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { type Condition, classLabel, LOSSES, type Loss, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, constantArray, mul } from "../../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { distributionMatching } from "../../../plugins/losses/distributionMatching.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { guided } from "../../../plugins/teachers/guided.ts";
import { conforms, hasGolden } from "../../helpers/golden.ts";
import { compose, evaluate, Feed, GivenNoise, numbers } from "../support.ts";

const test = suite("plugins/losses/distributionMatching");

const lossOf = (options?: Parameters<typeof distributionMatching>[0]) =>
  compose({ sample: [5], condition: {}, sigmaData: 0.5 }, distributionMatching(options)).all(LOSSES)[0];

/** Four samples of five numbers; the teacher and the critic see x_t and answer with `real` and `fake` of it. */
function setting(real: (xt: Tensor) => Tensor, fake: (xt: Tensor) => Tensor) {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 5], numbers([4, 5]));
  const context = {
    generated: { x, condition: {} },
    teacher: { denoise: real },
    critic: { denoise: fake },
    noise: feed.noise(),
    shared: {},
  } as unknown as LossContext;
  const loss = lossOf().compute(context);
  const [dx] = grad(loss, [x]);
  return { feed, x, loss, dx };
}

test("critic = teacher gives no gradient and loss 0: the first iteration moves nothing", async () => {
  const denoise = (xt: Tensor) => mul(xt, 0.3);
  const { feed, loss, dx } = setting(denoise, denoise);
  const result = await evaluate({ loss, dx }, feed);
  assert.is(result.loss[0], 0);
  assert.ok(result.dx.every((value) => value === 0));
});

test("the gradient is g/numel, whose descent moves x to where the teacher sees it; the value is ½ mean g²", async () => {
  const feed = new Feed();
  const values = numbers([2, 3]);
  const offset = [0.5, -1, 0.25];
  const x = feed.tensor("x", [2, 3], values);
  // D_real = x + a and D_fake = x at any x_t: g = −a / mean|a|
  const teacher = { denoise: () => add(x, constantArray(offset, [1, 3])) };
  const context = {
    generated: { x, condition: {} },
    teacher,
    critic: { denoise: () => x },
    noise: feed.noise(),
    shared: {},
  } as unknown as LossContext;
  const loss = lossOf().compute(context);
  const { value, dx } = await evaluate({ value: loss, dx: grad(loss, [x])[0] }, feed);
  const g = offset.map((a) => -a / (1.75 / 3));
  for (let i = 0; i < 6; i++) assert.ok(Math.abs(dx[i] - g[i % 3] / 6) < 1e-6);
  assert.ok(Math.abs(value[0] - (0.5 * g.reduce((sum, each) => sum + each ** 2, 0)) / 3) < 1e-6);
});

test("0/0 counts as 0: a sample that the teacher leaves as it is stays", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [2, 3], numbers([2, 3]));
  const same = { denoise: () => x };
  const context = {
    generated: { x, condition: {} },
    teacher: same,
    critic: same,
    noise: feed.noise(),
    shared: {},
  } as unknown as LossContext;
  const loss = lossOf().compute(context);
  const { value, dx } = await evaluate({ value: loss, dx: grad(loss, [x])[0] }, feed);
  assert.is(value[0], 0);
  assert.ok(dx.every((each) => each === 0));
});

test("levels are drawn from minStep to maxStep, both included", () => {
  const bounds: number[][] = [];
  class Watched extends GivenNoise {
    override fromGrid(grid: readonly number[], count: number, low?: number, high?: number) {
      bounds.push([grid.length, low!, high!]);
      return constantArray(new Array(count).fill(grid[low!]), [count]);
    }
  }
  const x = constantArray(numbers([4, 5]), [4, 5]);
  const same = { denoise: () => x };
  const compute = (options?: Parameters<typeof distributionMatching>[0]) =>
    lossOf(options).compute({
      generated: { x, condition: {} },
      teacher: same,
      critic: same,
      noise: new Watched([x]),
      shared: {},
    } as unknown as LossContext);
  compute();
  compute({ levels: 10, minStep: 0, maxStep: 1 });
  assert.equal(bounds, [
    [1000, 20, 981],
    [10, 0, 10],
  ]);
  assert.throws(() => lossOf({ minStep: 0.5, maxStep: 0.4 }), /minStep is 0.5 and maxStep 0.4/);
});

test("normalise: over the sample, over the batch, or not at all; epsilon keeps it finite", async () => {
  const values = [0.5, -0.5, 1, 3, -3, 3]; // mean |x − D_real| is ⅔ and 3
  const residuals = { sample: [2 / 3, 3], batch: [11 / 6, 11 / 6], none: [1, 1] };
  for (const [normalise, means] of Object.entries(residuals)) {
    const feed = new Feed();
    const x = feed.tensor("x", [2, 3], values);
    const context = {
      generated: { x, condition: {} },
      noise: feed.noise(),
      shared: {},
      teacher: { denoise: () => mul(x, 0) },
      critic: { denoise: () => add(mul(x, 0), 1) },
    } as unknown as LossContext;
    const loss = lossOf({ normalise: normalise as "sample" }).compute(context);
    const { dx } = await evaluate({ dx: grad(loss, [x])[0] }, feed);
    for (let i = 0; i < 6; i++) assert.ok(Math.abs(dx[i] - 1 / means[Math.floor(i / 3)] / 6) < 1e-6, normalise);
  }
});

test("epsilon: a residual of 0 gives a large gradient instead of none", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [1, 3], [1, 2, 3]);
  const context = {
    generated: { x, condition: {} },
    noise: feed.noise(),
    shared: {},
    teacher: { denoise: () => x },
    critic: { denoise: () => add(x, 0.5) },
  } as unknown as LossContext;
  const loss = lossOf({ epsilon: 0.25 }).compute(context);
  const { dx } = await evaluate({ dx: grad(loss, [x])[0] }, feed);
  for (const each of dx) assert.ok(Math.abs(each - 2 / 3) < 1e-6);
});

test("critic-lag: 1 where the critic is off the same way for all samples, small where it is exact", async () => {
  const B = 400;
  const shape = [B, 5];
  const lagOf = async (residual: (x: Tensor) => Tensor) => {
    const feed = new Feed();
    const x = feed.tensor("x", shape, numbers(shape));
    const reports: Record<string, Tensor> = {};
    lossOf().compute({
      generated: { x, condition: {} },
      noise: feed.noise(),
      shared: {},
      teacher: { denoise: (xt: Tensor) => xt },
      critic: { denoise: (xt: Tensor) => residual(xt) },
      report: (name: string, value: Tensor) => (reports[name] = value),
    } as unknown as LossContext);
    return (await evaluate(reports, feed))["critic-lag"][0];
  };
  assert.ok(Math.abs((await lagOf(() => constantArray(new Array(2000).fill(9), shape))) - 1) < 0.02);
  // D = x_t leaves the noise, whose mean is 0.
  assert.ok((await lagOf((xt) => xt)) < 3 / Math.sqrt(B));
});

test("leaves its draw for later losses of the turn, unless one before it has", () => {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 5], numbers([4, 5]));
  const seen: Tensor[][] = [];
  const denoise = (xt: Tensor, sigma: Tensor) => {
    seen.push([xt, sigma]);
    return xt;
  };
  const shared: LossContext["shared"] = {};
  const context = {
    generated: { x, condition: {} },
    teacher: { denoise },
    critic: { denoise },
    noise: feed.noise(),
    shared,
  } as unknown as LossContext;
  lossOf().compute(context);
  const [[, sigma]] = seen;
  assert.is(shared.draw?.sigma, sigma);
  lossOf().compute(context);
  assert.is.not(seen[2][1], sigma, "its own levels are new");
  assert.is(shared.draw?.sigma, sigma);
});

const classes = { sample: [5], condition: classLabel(2), sigmaData: 0.5 };
const learning = (labelDropout: number, ...others: ConfiguredPlugin[]) => {
  const generator = fewStep({ guidanceScale: 1, guidanceMax: 4 });
  return compose(classes, mlp({ width: 4, labelDropout }), generator, ...others, distributionMatching());
};

/** The loss of a generator that learns scales, whose samples were told `scales`, and its gradient in the samples. */
async function atScales(scales: number[], lossFrom: Loss, critic: LossContext["critic"]["denoise"]) {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 5], numbers([4, 5]));
  const heard: (Tensor | undefined)[] = [];
  // The teacher sees x_t with a class and half of it without.
  const teacher = (xt: Tensor, _: Tensor, { label, guidance }: Condition) => {
    heard.push(guidance);
    return mul(xt, label ? 1 : 0.5);
  };
  const condition = { ...feed.label("label", [0, 1, 0, 1]), guidance: feed.tensor("w", [4], scales) };
  const noise = feed.noise();
  const context = {
    generated: { x, condition },
    teacher: { denoise: teacher },
    critic: { denoise: critic },
    noise,
    shared: {},
  };
  const loss = lossFrom.compute(context as unknown as LossContext);
  return { heard, ...(await evaluate({ loss, dx: grad(loss, [x])[0] }, feed)) };
}

test("a generator that learns scales: the teacher is guided sample by sample, and only the critic is told", async () => {
  const loss = learning(0.1).all(LOSSES)[0];
  assert.equal(loss.heeds, ["guidance"]);
  // Guided by w the teacher sees (1 + w)/2 of x_t, which is what this critic sees of a sample that was told w.
  const exact = (xt: Tensor, _: Tensor, { guidance }: Condition) => mul(xt, mul(add(perSample(guidance!, 2), 1), 0.5));
  const { loss: value, dx, heard } = await atScales([1, 2, 3, 4], loss, exact);
  assert.ok(value[0] < 1e-12 && dx.every((each) => Math.abs(each) < 1e-6));
  assert.equal(heard, [undefined, undefined]);
});

test("told scale 1 throughout, loss and gradient have the bits of one that learns no scales", async () => {
  const critic = (xt: Tensor) => mul(xt, 0.3);
  const plain = compose(classes, distributionMatching()).all(LOSSES)[0];
  const [learnt, usual] = [
    await atScales([1, 1, 1, 1], learning(0.1).all(LOSSES)[0], critic),
    await atScales([1, 1, 1, 1], plain, critic),
  ];
  assert.equal([learnt.loss, learnt.dx], [usual.loss, usual.dx]);
  const other = await atScales([1, 1, 1, 4], learning(0.1).all(LOSSES)[0], critic);
  assert.equal(other.dx.slice(0, 15), usual.dx.slice(0, 15));
  assert.not.equal(other.dx.slice(15), usual.dx.slice(15));
});

test("scales are refused for a network that knows no sample without its class, and beside a teacher with guidance", () => {
  assert.throws(() => learning(0).all(LOSSES), /learns guidance scales up to 4, and the network has never seen/);
  const twice = () => learning(0.1, guided({ guidanceScale: 2 })).all(LOSSES);
  assert.throws(twice, /the teacher is guided by 2 already, it should bring no guidance of its own/);
});

for (const name of ["dmd_dm_loss_0", "dmd_dm_loss_1"]) {
  const check = hasGolden(name) ? test : test.skip;
  check(`${name}: noisy image, both estimates, direction, loss and gradient agree with the official code`, async () => {
    await conforms(name, new ReferenceBackend());
  });
}

test.run();
