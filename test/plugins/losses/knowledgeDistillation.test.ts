import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import * as plugins from "../../../plugins/mod.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/losses/knowledgeDistillation");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
const scaled = (factor: number): Denoiser => ({ denoise: (x) => mul(x, factor) });

test("is a well-formed plugin", () => checkPlugin(plugins.knowledgeDistillation, { distance: "l1", pairs: "a" }));

/** The loss of a generator D = g·x for a teacher D = d·x, for levels of the generator that the teacher's sampler comes by, or not. */
async function computed(generator: number, teacher: number, sigmas: number[], more: object = {}, own: object = {}) {
  const feed = new Feed();
  const sampler = plugins.euler({ sigmas: [8, 4, 2], ...more });
  const parts = [plugins.mlp(), plugins.fewStep({ sigmas }), sampler, plugins.knowledgeDistillation(own)];
  const [loss] = compose(shape, ...parts).all(LOSSES);
  const value = loss.compute({
    generated: { x: feed.tensor("x", [512, 2], new Float32Array(1024)), condition: {} },
    generator: scaled(generator),
    teacher: scaled(teacher),
    role: () => scaled(teacher),
    noise: feed.noise(),
    stage: { name: "distillation" },
  } as unknown as LossContext);
  return (await evaluate({ value }, feed, "f64")).value[0];
}

test("one step: is 0 for the map that the teacher's sampler makes, and ½ of the mean square otherwise", async () => {
  // Euler from 8 to 4 to 2 to 0 with D = x/2: x ← ¾x, ¾x, ½x.
  const map = 0.75 * 0.75 * 0.5;
  assert.ok((await computed(map, 0.5, [8])) < 1e-9);
  const off = await computed(map + 0.1, 0.5, [8]);
  assert.ok(Math.abs(off / (0.5 * 0.64) - 1) < 0.15, `${off}: half of (0.1 · 8 · ε)², within its spread`);
});

test("Huber's distance is the square over 2c where differences are small, and absolute where they are large", async () => {
  const of = (own: object) => computed(0.3, 0.5, [8], {}, own);
  const [square, absolute] = [await of({ distance: "l2" }), await of({ distance: "l1" })];
  const c = 1e4;
  assert.ok(Math.abs(((await of({ distance: "huber", huberC: c })) * 2 * c) / square - 1) < 1e-4);
  assert.ok(Math.abs((await of({ distance: "huber", huberC: 1e-6 })) / absolute - 1) < 1e-4);
});

test("several steps: from the states at the generator's levels", async () => {
  // From 2 a single step of ½ is left, from 8 the whole map: no one factor is right for both.
  assert.ok((await computed(0.5, 0.5, [2])) > 1e-3, "noise of level 2 is not the state there");
  assert.ok((await computed(0, 0, [8, 2])) < 1e-9, "a teacher that says 0 ends there from everywhere");
  assert.ok((await computed(0.5, 0.5, [8, 2])) > 1e-3);
});

test("refuses a level that the sampler does not come by, and a sampler that draws on its way", async () => {
  const refused = async (...given: Parameters<typeof computed>) =>
    (await computed(...given).then(
      () => assert.unreachable(),
      (e: Error) => e,
    )) as Error;
  assert.match(
    (await refused(0, 0, [8, 3])).message,
    /no state of the teacher's path at level 3, the sampler has some at 4, 2, 8/,
  );
  assert.match((await refused(0, 0, [8], { churn: 3 })).message, /fresh noise on its way/);
});

test.run();
