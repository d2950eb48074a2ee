import { suite } from "uvu";
import * as assert from "uvu/assert";
import { GENERATOR, LOSSES, type LossContext, TEACHER } from "../../../core/interfaces/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import * as plugins from "../../../plugins/mod.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/losses/trajectory");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };

test("is a well-formed plugin", () => checkPlugin(plugins.trajectory, { pointWeights: [1], distance: "l1" }));

const parts = [plugins.mlp({ width: 8, depth: 1 }), plugins.edm(), plugins.euler({ sigmas: [8, 4, 2] })];

/** Both losses of one generator, with the same noise. */
async function both(levels: number[], pointWeights: number[] = []) {
  const feed = new Feed();
  const made = plugins.operator({ sigmas: [8], sigmaMin: 0.1, levels, width: 4 });
  const container = compose(
    shape,
    ...parts,
    made,
    plugins.trajectory({ pointWeights }),
    plugins.knowledgeDistillation(),
  );
  const [role, taught] = [container.get(GENERATOR), container.get(TEACHER)];
  const generator = role.bind(feed.fresh("generator", role.declare).scope);
  const teacher = taught.bind(feed.fresh("teacher", taught.declare, 1).scope);
  const roles: Record<string, unknown> = { generator, teacher };
  const values = container.all(LOSSES).map((loss) =>
    loss.compute({
      generated: { x: feed.tensor("x", [6, 2], new Float32Array(12)), condition: {} },
      generator,
      teacher,
      role: (name: string) => roles[name],
      noise: feed.noise(),
      stage: { name: "distillation" },
    } as unknown as LossContext),
  );
  const read = await evaluate({ trajectory: values[0], pairs: values[1] }, feed, "f64");
  return [read.trajectory[0], read.pairs[0]];
}

test("with noise and sample as the only points it is knowledge distillation", async () => {
  const [trajectory, pairs] = await both([]);
  assert.ok(pairs > 1e-4 && Math.abs(trajectory / pairs - 1) < 1e-6, `${trajectory}, ${pairs}`);
});

test("further points add their terms, each by its weight", async () => {
  const [all, sample] = await both([4, 2]);
  const [weighed] = await both([4, 2], [0, 0, 1]);
  assert.ok(all > sample * 1.01, `${all}, ${sample}`);
  assert.ok(Math.abs(weighed / sample - 1) < 1e-6, `${weighed}, ${sample}`);
});

test("refuses other generators, a level that the sampler does not come by, and weights of another number", async () => {
  const made = (...more: Parameters<typeof compose>[1][]) => compose(shape, ...parts, ...more).all(LOSSES);
  assert.throws(
    () => made(plugins.fewStep({ sigmas: [8] }), plugins.trajectory()),
    /the generator gives one point of the path/,
  );
  assert.throws(
    () => made(plugins.operator({ sigmas: [8], levels: [4] }), plugins.trajectory({ pointWeights: [1] })),
    /there are 1 pointWeights, expected 2/,
  );
  const error = await both([3]).catch((e: Error) => e);
  assert.match((error as Error).message, /no state of the teacher's path at level 3/);
});

test.run();
