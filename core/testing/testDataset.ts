import {
  type Batch,
  DATA_FOLDER,
  DATASET_SOURCE,
  type DataFolder,
  type Dataset,
  type HostArray,
} from "../interfaces/mod.ts";
import type { ConfiguredPlugin } from "../plugin/mod.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import { compose } from "./compose.ts";
import { type Arrays, checkDraws, drawn, sameArrays } from "./draws.ts";
import { Findings } from "./findings.ts";

/** What a dataset is tested on. */
export interface DatasetTest {
  /** Its files, where it reads any. */
  readonly folder?: DataFolder;
  /** Plugins that it needs. */
  readonly plugins?: readonly ConfiguredPlugin[];
  /** Lowest and highest number of a sample; −1 and 1 by default for samples [1 or 3, H, W], which are images. */
  readonly range?: readonly [low: number, high: number];
}

/**
 * Holds a dataset to what is promised of every dataset:
 * - its options are documented and survive a config
 * - batches, the test set, and what stands for no condition have the sizes, types and classes that its `shape` says
 * - its numbers are finite, and those of images in [−1, 1]
 * - a batch follows from `random`, which is called a fixed number of times per sample; several may be open at a time
 * - captions are texts, one for each index
 * - `choose` gives the indices of the samples that `batch` takes, and an index that is not there is refused
 * - it can be disposed, though batches have been drawn
 *
 * Throws an error that lists every problem.
 *
 * @example
 * test("spirals keep the promises of a dataset", () => testDataset(spirals({ turns: 2 })));
 */
export async function testDataset(plugin: ConfiguredPlugin, setting: DatasetTest = {}): Promise<void> {
  const findings = new Findings(plugin);
  const { folder, plugins = [] } = setting;
  // What it asks its container for is not known before there is a dataset.
  const container = compose({ sample: [], condition: {}, sigmaData: 1 }, ...plugins, plugin);
  container.value(DATA_FOLDER, folder ?? {}, "the test");
  await findings.part("it cannot be loaded", async () => {
    const dataset = await container.get(DATASET_SOURCE);
    checkShape(findings, dataset);
    await findings.part("it gives no batch", async () => {
      const { samples } = await drawn((random) => dataset.batch(COUNT, random), 1);
      checkBatch(findings, "a batch", dataset, samples, COUNT, setting);
      await checkDraws(findings, "its batches", async (count, random) => arraysOf(await dataset.batch(count, random)));
    });
    if (dataset.size !== Number.POSITIVE_INFINITY)
      await findings.part("it gives no sample by its index", () => checkIndices(findings, dataset));
    if (dataset.captions) await findings.part("it gives no captions", () => checkCaptions(findings, dataset));
    const { test } = dataset;
    if (test)
      await findings.part("it gives no test set", async () => {
        const held = await test.call(dataset);
        findings.check(held.count > 0, "its test set is empty");
        checkBatch(findings, "its test set", dataset, held, held.count, setting);
      });
  });
  await findings.part("it cannot be disposed", () => container.dispose());
  findings.settle();
}

const COUNT = 5;

const arraysOf = ({ x, condition }: Batch): Arrays => ({ ...condition, x });

function checkShape(findings: Findings, { shape, size, empty = {} }: Dataset): void {
  const { sample, condition, sigmaData } = shape;
  findings.check(
    sample.length > 0 && sample.every((each) => Number.isInteger(each) && each > 0),
    `its samples are ${formatShape(sample)}, should have sizes above 0`,
  );
  findings.check(sigmaData > 0, `its sigmaData is ${sigmaData}, should be above 0`);
  findings.check(
    size === Number.POSITIVE_INFINITY || (Number.isInteger(size) && size > 0),
    `its size is ${size}, should be a whole number above 0, or Infinity`,
  );
  for (const [name, entry] of Object.entries(condition)) {
    if (entry.empty !== "stored") continue;
    const [length, expected] = [empty[name]?.length, sizeOf(entry.shape)];
    findings.check(
      length === expected,
      `${length ?? "no"} numbers of \`empty\` stand for no ${name}, should be ${expected}`,
    );
  }
}

function checkBatch(
  findings: Findings,
  what: string,
  { shape: { sample, condition: entries } }: Dataset,
  { x, condition }: Batch,
  count: number,
  { range }: DatasetTest,
): void {
  const expected = count * sizeOf(sample);
  findings.check(
    x instanceof Float32Array && x.length === expected,
    `${what} of ${count} has ${x.length} numbers x, should be ${expected} of Float32Array`,
  );
  const isImage = sample.length === 3 && (sample[0] === 1 || sample[0] === 3);
  const infinite: NonNullable<typeof range> = [-Number.MAX_VALUE, Number.MAX_VALUE];
  const [low, high] = range ?? (isImage ? [-1, 1] : infinite);
  const outside = x.find((each) => !(each >= low && each <= high));
  findings.check(outside === undefined, `${what} has ${outside} in x, should be in [${low}, ${high}]`);
  const names = Object.keys(entries);
  const given = Object.keys(condition);
  findings.check(
    names.length === given.length && names.every((name) => given.includes(name)),
    `${what} is described by ${given.join(", ") || "nothing"}, its shape says ${names.join(", ") || "nothing"}`,
  );
  for (const name of names.filter((each) => given.includes(each))) {
    const { shape, dtype, classes } = entries[name];
    const values: HostArray = condition[name];
    const [kind, length] = [dtype === "i32" ? Int32Array : Float32Array, count * sizeOf(shape)];
    findings.check(
      values instanceof kind && values.length === length,
      `${what} of ${count} has ${values.length} of ${name}, should be ${length} of ${kind.name}`,
    );
    const strange = values.find((each) => !(classes ? each >= 0 && each < classes : Number.isFinite(each)));
    findings.check(
      strange === undefined,
      `${what} has ${name} ${strange}, should be ${classes ? `0 to ${classes - 1}` : "finite"}`,
    );
  }
}

async function checkIndices(findings: Findings, dataset: Dataset): Promise<void> {
  const never = () => {
    throw new Error("samples with given indices take no random numbers");
  };
  const { choose, size } = dataset;
  if (choose) {
    const { samples: rows, calls } = await drawn((random) => choose.call(dataset, COUNT, random), 3);
    const batch = await drawn((random) => dataset.batch(COUNT, random), 3);
    findings.check(
      calls === batch.calls && sameArrays(arraysOf(await dataset.batch(rows, never)), arraysOf(batch.samples)),
      "`choose` gives other samples than `batch` takes",
    );
  }
  const last = await dataset.batch([size - 1, 0], never);
  const first = await dataset.batch([0], never);
  findings.check(
    first.x.every((each, i) => each === last.x[first.x.length + i]),
    "a sample depends on those beside it",
  );
  for (const index of [-1, size, 0.5]) {
    const refused = await Promise.resolve()
      .then(() => dataset.batch([index], never))
      .then(
        () => false,
        () => true,
      );
    findings.check(refused, `it takes sample ${index} of ${size}, should refuse it`);
  }
}

async function checkCaptions(findings: Findings, dataset: Dataset): Promise<void> {
  const which = [dataset.size - 1, 0];
  const texts = await dataset.captions!(which);
  findings.check(
    texts.length === which.length && texts.every((text) => typeof text === "string"),
    `it has ${texts.length} captions for ${which.length} samples, should be a text for each`,
  );
  const refused = await dataset.captions!([dataset.size]).then(
    () => false,
    () => true,
  );
  findings.check(refused, `it has a caption for sample ${dataset.size} of ${dataset.size}, should refuse it`);
}
