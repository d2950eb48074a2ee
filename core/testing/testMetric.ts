import {
  BACKEND,
  type Backend,
  classLabel,
  DATA_FOLDER,
  DATASET,
  DATASET_SOURCE,
  type DataFolder,
  type DataShape,
  type Dataset,
  METRICS,
  type Metric,
  type SampleSet,
} from "../interfaces/mod.ts";
import type { ConfiguredPlugin } from "../plugin/mod.ts";
import { hostRandom } from "../random/hostRandom.ts";
import { judgeSamples } from "../train/mod.ts";
import { compose } from "./compose.ts";
import { type Devices, distance, nameOf, oracleOf, PARITY, same } from "./devices.ts";
import { Findings } from "./findings.ts";
import { madeUpData } from "./madeUpData.ts";

/** What a metric is tested on. */
export interface MetricTest extends Devices {
  /** The data that it compares with, where it needs some of a kind; else made-up ones of `shape`. */
  readonly dataset?: ConfiguredPlugin;
  /** What made-up data look like; images [1, 8, 8] of two classes by default. */
  readonly shape?: DataShape;
  /** Samples of a set; 60 by default. */
  readonly count?: number;
  /** Plugins that it needs, such as those of its `needs`. */
  readonly plugins?: readonly ConfiguredPlugin[];
  /** Where files of data and metric are. */
  readonly folder?: DataFolder;
}

const SHAPE: DataShape = { sample: [1, 8, 8], condition: classLabel(2), sigmaData: 0.5 };

/** How far numbers about a set may move with its division: sums in another order, on the host. */
export const DIVISION = 1e-9;

/**
 * Holds a metric to what is promised of every metric:
 * - its options are documented and survive a config
 * - it tells of finite numbers by name, the same ones for every set
 * - they do not depend on how a set is divided, nor on another set that is judged meanwhile, but on the samples they do
 * - it leaves the samples as they are
 * - every device finds the same numbers, and has all its memory back once the metric is disposed
 *
 * Throws an error that lists every problem.
 *
 * @example
 * test("sharpness keeps the promises of a metric", () =>
 *   testMetric(sharpness({ radius: 2 }), { backends: [new ReferenceBackend("f64"), await openWasm()] }));
 */
export async function testMetric(plugin: ConfiguredPlugin, setting: MetricTest): Promise<void> {
  const oracle = await oracleOf(setting);
  const findings = new Findings(plugin);
  const { tolerance = PARITY } = setting;
  let exact: Numbers | undefined;
  await findings.part("it cannot judge", () =>
    withMetric(oracle, plugin, setting, async (metric, dataset) => {
      exact = await checkSets(findings, metric, dataset, setting);
    }),
  );
  for (const backend of setting.backends) {
    const name = nameOf(backend);
    await findings.part(`on ${name}`, async () => {
      const judged = () =>
        withMetric(backend, plugin, setting, async (metric, dataset) =>
          judgeSamples([metric], [await samplesOf(dataset, setting, 1)]),
        );
      // What a device makes once and keeps is there after the first time; the oracle has had its own.
      const found = exact && backend === oracle ? exact : await judged();
      const before = backend.liveBytes;
      await judged();
      const left = backend.liveBytes - before;
      findings.check(left <= 0, `it leaves ${left} bytes on ${name} when it is disposed`);
      if (!exact || backend === oracle) return;
      const far = apart(found, exact);
      findings.check(far <= tolerance, `${name} is ${far.toExponential(1)} from the oracle, above ${tolerance}`);
    });
  }
  findings.settle();
}

type Numbers = Readonly<Record<string, number>>;

const apart = (a: Numbers, b: Numbers): number => {
  const names = Object.keys(b);
  const sameNames = names.join() === Object.keys(a).join();
  return sameNames ? distance(Object.values(a), Object.values(b)) : Number.POSITIVE_INFINITY;
};

/** Gives `use` the metric over its data, and disposes both. */
async function withMetric<T>(
  backend: Backend,
  plugin: ConfiguredPlugin,
  { dataset: data, shape = SHAPE, plugins = [], folder = {} }: MetricTest,
  use: (metric: Metric, dataset: Dataset) => Promise<T>,
): Promise<T> {
  const source = compose(shape, ...(data ? [data] : [])).value(DATA_FOLDER, folder, "the test");
  const dataset = data ? await source.get(DATASET_SOURCE) : madeUpData(shape);
  const container = compose(dataset.shape, ...plugins, plugin)
    .value(BACKEND, backend, "the test")
    .value(DATA_FOLDER, folder, "the test")
    .value(DATASET, dataset, "the test");
  try {
    const metrics = container.all(METRICS);
    return await use(metrics[metrics.length - 1], dataset);
  } finally {
    await container.dispose();
    await source.dispose();
    await backend.finish();
  }
}

async function samplesOf(dataset: Dataset, { count = 60 }: MetricTest, seed: number): Promise<SampleSet> {
  const { x, condition } = await dataset.batch(count, hostRandom(seed, 0, 0));
  // Beside the data, so that there is something to tell of.
  const random = hostRandom(seed, 0, 1);
  return {
    shape: [count, ...dataset.shape.sample],
    x: x.map((each) => 0.9 * each + 0.1 * (random() - 0.5)),
    condition,
  };
}

/** Samples first … end − 1 of a set. */
function rowsOf({ shape: [count, ...sample], x, condition }: SampleSet, first: number, end: number): SampleSet {
  const cut = <T extends Float32Array | Int32Array>(values: T) => {
    const width = values.length / count;
    return values.slice(first * width, end * width) as T;
  };
  const entries = Object.entries(condition).map(([name, values]) => [name, cut(values)]);
  return { shape: [end - first, ...sample], x: cut(x), condition: Object.fromEntries(entries) };
}

async function checkSets(findings: Findings, metric: Metric, dataset: Dataset, setting: MetricTest): Promise<Numbers> {
  const [one, other] = [await samplesOf(dataset, setting, 1), await samplesOf(dataset, setting, 2)];
  const before = one.x.slice();
  const whole = await judgeSamples([metric], [one]);
  findings.check(same(one.x, before), "it changes the samples that it is given");
  const names = Object.keys(whole);
  findings.check(names.length > 0, "it tells of no number");
  for (const name of names)
    findings.check(Number.isFinite(whole[name]), `its ${name} is ${whole[name]}, should be finite`);
  const [count] = one.shape;
  const cuts = [0, 1, Math.floor(count / 3), count];
  const portions = cuts.slice(1).map((end, i) => rowsOf(one, cuts[i], end));
  const divided = await judgeSamples([metric], portions);
  findings.check(apart(divided, whole) <= DIVISION, "its numbers depend on how the set is divided");
  const judgings = [metric.begin(), metric.begin()];
  for (const portion of portions) {
    await judgings[0].take(portion);
    await judgings[1].take(other);
  }
  const meanwhile = await judgings[0].result();
  await judgings[1].result();
  findings.check(apart(meanwhile, whole) <= DIVISION, "its numbers depend on another set that is judged meanwhile");
  const others = await judgeSamples([metric], [other]);
  const sameNames = Object.keys(others).join() === names.join();
  findings.check(
    sameNames,
    `it tells of ${Object.keys(others).join(", ")} for one set and of ${names.join(", ")} for another`,
  );
  findings.check(apart(others, whole) > 0, "its numbers do not depend on the samples");
  return whole;
}
