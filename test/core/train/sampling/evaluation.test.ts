import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { DATASET_SOURCE, type Dataset, METRICS, type Metric, type SampleSet } from "../../../../core/interfaces/mod.ts";
import { definePlugin } from "../../../../core/plugin/mod.ts";
import { hostRandom } from "../../../../core/random/hostRandom.ts";
import {
  composeRun,
  Evaluation,
  EventBus,
  judgeSamples,
  mergeConfig,
  resolveConfig,
  type TrainEvents,
  Trainer,
} from "../../../../core/train/mod.ts";
import { halves } from "../../../plugins/extractors/halves.ts";
import { beginAll, registry, tiny } from "../support.ts";

const test = suite("core/train/sampling (evaluation)");

/** Portions as a metric was given them, set by set. */
class Witness implements Metric {
  readonly name = "witness";
  readonly sets: SampleSet[][] = [];
  begin() {
    const set: SampleSet[] = [];
    this.sets.push(set);
    return {
      take: (samples: SampleSet) => void set.push({ ...samples, x: samples.x.slice() }),
      result: async () => ({ portions: set.length }),
    };
  }
}

const set = (count: number): SampleSet => ({
  shape: [count, 2],
  x: new Float32Array(2 * count),
  condition: {},
});

test("judgeSamples: every metric takes a portion before the next is made", async () => {
  const log: string[] = [];
  const logging = (name: string): Metric => ({
    name,
    begin() {
      let count = 0;
      return {
        async take({ shape }) {
          await Promise.resolve();
          count += shape[0];
          log.push(`${name} takes ${shape[0]}`);
        },
        async result() {
          log.push(`${name} ends`);
          return { [name]: count };
        },
      };
    },
  });
  async function* portions() {
    for (const count of [3, 2]) {
      log.push(`made ${count}`);
      yield set(count);
    }
  }
  const found = await judgeSamples([logging("a"), logging("b")], portions());
  assert.equal(found, { a: 5, b: 5 });
  assert.equal(log, ["made 3", "a takes 3", "b takes 3", "made 2", "a takes 2", "b takes 2", "a ends", "b ends"]);
  assert.equal(await judgeSamples([], [set(2)]), {});
});

/** A run on images, its teacher and generator untrained, and what its metric and its data were asked for. */
async function judging(stored: boolean) {
  const witness = new Witness();
  const read: number[] = [];
  const images = halves();
  const dataset: Dataset = {
    ...images,
    choose: stored ? images.choose : undefined,
    batch(which, random) {
      read.push(typeof which === "number" ? which : which.length);
      return images.batch(which, random);
    },
  };
  const config = mergeConfig(tiny, { dataset: { use: "halves" }, metrics: { witness: {} } });
  const plugins = [
    definePlugin({
      name: "halves",
      kind: "dataset",
      token: DATASET_SOURCE,
      about: "Images of a test",
      options: {},
      create: async () => dataset,
    }),
    definePlugin({
      name: "witness",
      kind: "metric",
      token: METRICS,
      about: "A metric of a test",
      options: {},
      create: () => witness,
    }),
  ];
  const resolved = resolveConfig(config, registry().register(plugins));
  const backend = new ReferenceBackend();
  const container = await composeRun(resolved, backend, {});
  const bus = new EventBus();
  const drawn: TrainEvents["sample/drawn"][] = [];
  bus.on("sample/drawn", (event) => void drawn.push(event));
  const trainer = new Trainer(container, backend, dataset, bus, resolved.settings);
  await beginAll(trainer);
  const evaluation = new Evaluation(container, backend, trainer, bus);
  return { evaluation, witness, read, images, drawn };
}

test("judge: metrics are given no more than is drawn together, the bus the first of it", async () => {
  const { evaluation, witness, read, images, drawn } = await judging(true);
  const judgements = await evaluation.judge(250, () => 7);
  assert.equal(
    judgements.map(({ who, count, metrics }) => [who, count, metrics.portions]),
    [
      ["data", 250, 3],
      ["teacher", 250, 3],
      ["generator", 250, 3],
    ],
  );
  assert.equal(read, [100, 100, 50], "stored data are read as they are judged");
  for (const set of witness.sets)
    assert.equal(
      set.map(({ shape, x, condition }) => [shape, x.length, condition.label.length]),
      [100, 100, 50].map((B) => [[B, 1, 8, 8], 64 * B, B]),
    );
  assert.equal(
    drawn.map(({ role, step, samples }) => [role, step, samples.shape]),
    ["teacher", "generator"].map((role) => [role, 7, [100, 1, 8, 8]]),
  );
  const whole = (set: SampleSet[]) => ({
    x: set.flatMap(({ x }) => [...x]),
    label: set.flatMap(({ condition }) => [...condition.label]),
  });
  const [data, ...roles] = witness.sets.map(whole);
  const real = await images.batch(250, hostRandom(99, 0, 0));
  assert.equal(data, { x: [...real.x], label: [...real.condition.label] });
  for (const [i, role] of ["teacher", "generator"].entries()) {
    const { x, condition } = await evaluation.draw(role, { count: 250 }, 0);
    assert.equal(roles[i], { x: [...x], label: [...condition.label] }, role);
  }
  evaluation.dispose();
});

test("judge: the same real data where they are drawn at once", async () => {
  const [one, other] = [await judging(true), await judging(false)];
  for (const { evaluation } of [one, other]) await evaluation.judge(130, () => 0);
  assert.equal(other.read, [130]);
  assert.equal(other.witness.sets, one.witness.sets);
});

test.run();
