/** What the programs of a turn are fed at a step. */
import type { HostArray } from "../../interfaces/backend.ts";
import type { Batch, Dataset } from "../../interfaces/dataset.ts";
import type { Loss } from "../../interfaces/loss.ts";
import { hostRandom } from "../../random/hostRandom.ts";
import { keyOf } from "../../random/philox.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { conditionArrays, type Described } from "./conditionInputs.ts";
import { type Inputs, REAL } from "./turnImages.ts";

/** Input with one tensor of a loss's own samples. */
export const ownInput = (loss: Loss, tensor: string): string => `${loss.name}: ${tensor}`;

/** Input with the places in the batch that a part holds, i32 [batch / parts]. */
export const ROWS = "rows";

/** The first of the streams that losses draw their own samples from, in the order of the config. */
const OWN_STREAMS = 16;

/** Whose batch it is, and in how many parts. */
export interface BatchMoment {
  readonly step: number;
  readonly seed: number;
  readonly batch: number;
  readonly parts: number;
  /** Which batches of the dataset the program reads, and the random stream that each comes from. */
  readonly reads: ReadonlyMap<Described, number>;
  /** The losses of the turn, by their places in the config; they may bring samples of their own. */
  readonly losses: ReadonlyMap<number, Loss>;
  /** Draws that take the place of the seed's. */
  readonly given?: Readonly<Record<string, HostArray>>;
}

/**
 * The inputs of each part of a batch, numbers aside: the key of its draws, its rows, its batches of the dataset, the own
 * samples of its losses. They depend on the moment alone, not on what was fetched before.
 */
export function turnInputs(dataset: Dataset, moment: BatchMoment): (part: number) => Promise<Inputs> {
  const { step, seed, batch, parts, reads, given } = moment;
  const size = batch / parts;
  const { empty, shape } = dataset;
  const batches = new Map<number, (part: number) => Promise<Batch>>();
  for (const stream of reads.values())
    if (!batches.has(stream)) batches.set(stream, batchParts(dataset, moment, stream));
  // Drawn with the first part, so that an error rejects that part.
  let own: ReturnType<typeof ownBatches> | undefined;
  return async (part) => {
    own ??= ownBatches(moment);
    const [first, end] = [part * size, (part + 1) * size];
    const drawn = new Map<number, Batch>();
    for (const [stream, take] of batches) drawn.set(stream, await take(part));
    const inputs: Inputs = { ...(given ?? { key: keyOf(seed, step) }) };
    if (parts > 1) inputs[ROWS] = Int32Array.from({ length: size }, (_, i) => first + i);
    for (const [who, stream] of reads) {
      const taken = drawn.get(stream)!;
      const { condition } = taken;
      // Data of texts alone have no samples to give.
      if (who === "real") inputs[REAL] = taken.x;
      Object.assign(inputs, conditionArrays(shape.condition, who, { condition, empty }, { first: 0, size }));
    }
    for (const { name, values, width } of own) inputs[name] = values.subarray(first * width, end * width);
    return inputs;
  };
}

/** Part after part of a stream's batch. */
function batchParts(
  dataset: Dataset,
  { seed, step, batch, parts }: BatchMoment,
  stream: number,
): (part: number) => Promise<Batch> {
  const rows = batchRows(dataset, batch, hostRandom(seed, step, stream));
  const size = batch / parts;
  return (part) => rows(part * size, (part + 1) * size);
}

/** Rows of a batch of `count`: read when asked for where the data are stored, else drawn at once and divided. */
export function batchRows(
  dataset: Dataset,
  count: number,
  random: () => number,
): (first: number, end: number) => Promise<Batch> {
  let rows: number[] | undefined;
  let whole: Batch | Promise<Batch> | undefined;
  return async (first, end) => {
    if (dataset.choose) {
      rows ??= Array.from(dataset.choose(count, random));
      return dataset.batch(rows.slice(first, end), random);
    }
    const { x, condition } = await (whole ??= dataset.batch(count, random));
    return {
      x: rowsOf(x, count, first, end),
      condition: conditionRows(condition, count, first, end),
    };
  };
}

/** Rows `first` to `end` of `count`. */
function rowsOf<T extends HostArray>(values: T, count: number, first: number, end: number): T {
  const width = values.length / count;
  return values.subarray(first * width, end * width) as T;
}

/** Rows `first` to `end` of every entry of a condition of `count`. */
export function conditionRows(
  condition: Batch["condition"],
  count: number,
  first: number,
  end: number,
): Batch["condition"] {
  const entries = Object.entries(condition);
  return Object.fromEntries(entries.map(([name, each]) => [name, rowsOf(each, count, first, end)]));
}

/** The batch of every loss with samples of its own, tensor by tensor. */
function ownBatches({ losses, seed, step, batch }: BatchMoment) {
  return [...losses].flatMap(([place, loss]) => {
    if (!loss.own) return [];
    const drawn = loss.own.batch(batch, hostRandom(seed, step, OWN_STREAMS + place));
    return Object.entries(loss.own.tensors).map(([tensor, { shape }]) => ({
      name: ownInput(loss, tensor),
      values: drawn[tensor],
      width: sizeOf(shape),
    }));
  });
}
