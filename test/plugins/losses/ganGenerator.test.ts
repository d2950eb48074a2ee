import { suite } from "uvu";
import * as assert from "uvu/assert";
import { grad } from "../../../core/graph/mod.ts";
import { LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { mul, reshape, sum } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { distributionMatching } from "../../../plugins/losses/distributionMatching.ts";
import { ganGenerator } from "../../../plugins/losses/ganGenerator.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/ganGenerator");

const lossOf = (options?: Parameters<typeof ganGenerator>[0]) =>
  compose({ sample: [3], condition: {}, sigmaData: 0.5 }, ganGenerator(options)).all(LOSSES)[0];

test("at logit 0 the loss is ln 2 and its slope −½: x moves to where the logit grows", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 3], numbers([4, 3]));
  const slope = feed.tensor("slope", [1, 3], [0, 0, 0]);
  const logit = (xt: Tensor) => reshape(sum(mul(xt, slope), { axes: [1] }), [xt.shape[0], 1]);
  const loss = lossOf({ diffused: false }).compute({
    generated: { x, condition: {} },
    critic: { discriminate: logit },
    noise: feed.noise(),
  } as unknown as LossContext);
  const { value, dSlope } = await evaluate({ value: loss, dSlope: grad(loss, [slope])[0] }, feed);
  assert.ok(Math.abs(value[0] - Math.LN2) < 1e-6);
  const means = [0, 1, 2].map((i) => [0, 1, 2, 3].reduce((s, b) => s + feed.values.x[3 * b + i], 0) / 4);
  for (const i of [0, 1, 2]) assert.ok(Math.abs(dSlope[i] + 0.5 * means[i]) < 1e-6);
});

/** Logits with a known value: the sum of what the discriminator sees. */
const sumOf = (xt: Tensor) => reshape(sum(xt, { axes: [1] }), [xt.shape[0], 1]);

test("hinge: the loss is minus the mean logit", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 3], numbers([4, 3]));
  const loss = lossOf({ diffused: false, objective: "hinge" }).compute({
    generated: { x, condition: {} },
    critic: { discriminate: sumOf },
    noise: feed.noise(),
  } as unknown as LossContext);
  const { value, dx } = await evaluate({ value: loss, dx: grad(loss, [x])[0] }, feed);
  const mean = [...feed.values.x].reduce((total, each) => total + each, 0) / 4;
  assert.ok(Math.abs(value[0] + mean) < 1e-6);
  assert.ok(dx.every((each) => each === -0.25));
});

test("teacher features: the critic's head judges them, and its own encoder is not asked", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 3], numbers([4, 3]));
  const context = {
    generated: { x, condition: {} },
    teacher: { features: (xt: Tensor) => mul(xt, 2) },
    critic: { judge: sumOf },
    noise: feed.noise(),
  } as unknown as LossContext;
  const teachers = lossOf({ diffused: false, features: "teacher", objective: "hinge" });
  const { loss } = await evaluate({ loss: teachers.compute(context) }, feed);
  const mean = [...feed.values.x].reduce((total, each) => total + each, 0) / 4;
  assert.ok(Math.abs(loss[0] + 2 * mean) < 1e-6);
  assert.throws(
    () => teachers.compute({ ...context, teacher: {} } as unknown as LossContext),
    /^Cannot discriminate on the teacher's features: this teacher has none/,
  );
});

test("shared noise: samples are in the noise of the loss before, which there must be", async () => {
  const feed = new Feed();
  const x = feed.tensor("x", [4, 3], numbers([4, 3]));
  const seen: Record<string, Tensor> = {};
  const denoise = (xt: Tensor) => {
    seen.matching = xt;
    return xt;
  };
  const discriminate = (xt: Tensor) => {
    seen.gan = xt;
    return sumOf(xt);
  };
  const context = {
    generated: { x, condition: {} },
    noise: feed.noise(),
    teacher: { denoise },
    critic: { denoise, discriminate },
    shared: {},
  } as unknown as LossContext;
  const gan = lossOf({ noise: "shared" });
  assert.throws(() => gan.compute(context), /^Cannot share noise with gan-generator: no loss before/);
  const shape = { sample: [3], condition: {}, sigmaData: 0.5 };
  compose(shape, distributionMatching()).all(LOSSES)[0].compute(context);
  gan.compute(context);
  const { matching, gan: shown } = await evaluate(seen, feed);
  assert.equal(shown, matching);
});

test("reports the mean probability of generated samples", async () => {
  const feed = new Feed();
  const reports: Record<string, Tensor> = {};
  lossOf({ diffused: false }).compute({
    generated: { x: feed.tensor("x", [4, 3], numbers([4, 3])), condition: {} },
    critic: { discriminate: (xt: Tensor) => mul(sumOf(xt), 0) },
    noise: feed.noise(),
    report: (name: string, value: Tensor) => (reports[name] = value),
  } as unknown as LossContext);
  const read = await evaluate(reports, feed);
  assert.is(read["discriminator-on-fake"][0], 0.5);
});

test.run();
