/** What the programs of a phase are fed at a step. */
import type { HostArray } from "../../interfaces/backend.ts";
import type { Batch, Dataset } from "../../interfaces/dataset.ts";
import type { Loss } from "../../interfaces/loss.ts";
import { hostRandom } from "../../random/hostRandom.ts";
import { keyOf } from "../../random/philox.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Phase } from "../loop/schedule.ts";
import type { Player } from "../update/player.ts";
import { activeLosses, ownInput, ROWS } from "../update/turnContext.ts";
import { weightName } from "../update/turnProgram.ts";
import { textArrays } from "./conditionInputs.ts";

/** When an update happens, and on how many images. */
export interface UpdateMoment {
  readonly step: number;
  readonly steps: number;
  readonly batch: number;
  /** Factors of losses that commands have changed, by name. */
  readonly changedWeights: ReadonlyMap<string, number>;
}

/** The numbers of an update, by the names under which its programs ask for them: rates, averages, weights of losses. */
export function phaseNumbers(
  { updates, optimizer, averages }: Player<unknown>,
  losses: readonly Loss[],
  { step, steps, batch, changedWeights }: UpdateMoment,
): Record<string, number> {
  return {
    ...optimizer!.scalars({ update: updates, step, steps }),
    ...Object.fromEntries(
      averages.map(({ keep, average }) => [keep, average.keep(updates, batch)]),
    ),
    ...Object.fromEntries(
      losses.map((loss) => [weightName(loss), changedWeights.get(loss.name) ?? loss.weight]),
    ),
  };
}

/**
 * Where the real batches of the phases come from: random streams of their own. The texts of generated images are those of
 * the generator's batch in either turn, so that the critic's turn knows what the images of a step were to show, and so that
 * a generator that starts from real samples is given theirs.
 */
const BATCH_STREAMS: Readonly<Record<Phase, number>> = { teacher: 1, generator: 2, critic: 3 };

/** The first of the streams that losses draw their own samples from, in the order of the config. */
const OWN_STREAMS = 16;

/** Whose batch it is, and in how many parts. */
export interface BatchMoment {
  readonly phase: Phase;
  readonly step: number;
  readonly seed: number;
  readonly batch: number;
  readonly parts: number;
  readonly readsReal: boolean;
  /** All losses of the run; those of the phase may bring samples of their own. */
  readonly losses: readonly Loss[];
  /** Draws that take the place of the seed's. */
  readonly given?: Readonly<Record<string, HostArray>>;
}

/** What a program is fed, by the names of its inputs. */
export type Inputs = Record<string, HostArray>;

/**
 * What one part of the batch after the other is fed, numbers aside: the key of its draws, its rows, its real images, the own
 * samples of its losses. It follows from the moment alone, whatever was asked for before.
 */
export function phaseInputs(
  dataset: Dataset,
  moment: BatchMoment,
): (part: number) => Promise<Inputs> {
  const { phase, step, seed, batch, parts, readsReal, given } = moment;
  const size = batch / parts;
  const { classes, text } = dataset.shape;
  const partsOf = (whose: Phase) => batchParts(dataset, moment, BATCH_STREAMS[whose]);
  const realPart = readsReal && !given?.["real.x"] ? partsOf(phase) : undefined;
  const isOwn = phase === "generator" && realPart;
  const promptPart =
    text && phase !== "teacher" ? (isOwn ? realPart : partsOf("generator")) : undefined;
  const { unconditional } = dataset;
  // Drawn with the first part, so that what goes wrong belongs to it.
  let own: ReturnType<typeof ownBatches> | undefined;
  return async (part) => {
    own ??= ownBatches(moment);
    const [first, end] = [part * size, (part + 1) * size];
    const real = await realPart?.(part);
    const prompts = promptPart === realPart ? real : await promptPart?.(part);
    const rows = { first: 0, size };
    return {
      ...(given ?? { key: keyOf(seed, step) }),
      ...(parts > 1 && { [ROWS]: Int32Array.from({ length: size }, (_, i) => first + i) }),
      ...(real && { "real.x": real.x }),
      ...textArrays(text, "real", { ...real, unconditional }, rows),
      ...textArrays(text, "prompt", { ...prompts, unconditional }, rows),
      ...(real && classes > 0 && { "real.label": real.label }),
      ...Object.fromEntries(
        own.map(({ name, values, width }) => [name, values.subarray(first * width, end * width)]),
      ),
    };
  };
}

/** Part after part of a stream's batch: read one by one where the data are stored, else drawn at once and divided. */
function batchParts(
  dataset: Dataset,
  { seed, step, batch, parts }: BatchMoment,
  stream: number,
): (part: number) => Promise<Batch> {
  const random = hostRandom(seed, step, stream);
  const size = batch / parts;
  let rows: number[] | undefined;
  let whole: Batch | Promise<Batch> | undefined;
  return async (part) => {
    if (dataset.choose) {
      rows ??= Array.from(dataset.choose(batch, random));
      return dataset.batch(rows.slice(part * size, (part + 1) * size), random);
    }
    const drawn = await (whole ??= dataset.batch(batch, random));
    return rowsOf(drawn, batch, part * size, (part + 1) * size);
  };
}

/** Rows `first` to `end` of a batch of `count`. */
function rowsOf({ x, label, described }: Batch, count: number, first: number, end: number): Batch {
  const cut = (values: Float32Array) => {
    const width = values.length / count;
    return values.subarray(first * width, end * width);
  };
  const texts = Object.entries(described ?? {}).map(([name, values]) => [name, cut(values)]);
  return {
    x: cut(x),
    label: label.subarray(first, end),
    ...(described && { described: Object.fromEntries(texts) }),
  };
}

/** The batch of every loss with samples of its own, tensor by tensor. */
function ownBatches({ losses, phase, seed, step, batch }: BatchMoment) {
  return losses.flatMap((loss, place) => {
    if (!loss.own || !activeLosses([loss], phase).length) return [];
    const drawn = loss.own.batch(batch, hostRandom(seed, step, OWN_STREAMS + place));
    return Object.entries(loss.own.tensors).map(([tensor, { shape }]) => ({
      name: ownInput(loss, tensor),
      values: drawn[tensor],
      width: sizeOf(shape),
    }));
  });
}
