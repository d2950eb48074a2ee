import { OnestepError } from "../../errors.ts";
import type { Backend } from "../../interfaces/backend.ts";
import type { Batch, Dataset } from "../../interfaces/dataset.ts";
import type { Denoiser } from "../../interfaces/denoiser.ts";
import type { Stage } from "../../interfaces/method.ts";
import { hostRandom } from "../../random/hostRandom.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { batchRows } from "../batch/turnInputs.ts";
import { type DrawRequest, SampleDrawer } from "../sampling/sampleDrawer.ts";
import type { Player } from "../update/player.ts";
import { learnersOf } from "../update/roles.ts";
import type { Trainer } from "../update/trainer.ts";
import { type DataStatistics, dataStatistics, sampleStatistics } from "./sampleStatistics.ts";

/** Readings of a stage, unless that is too dear. */
const READINGS = 50;
/** The longest way between two, in steps. */
const LONGEST = 500;
/** Network calls on samples that training makes for each that the probe makes: what it costs stays below 1 %. */
const CALLS_PER_CALL = 100;
/** Network calls of an update for each of its samples: forward, twice that backward, the teacher's, another role's. */
const CALLS_OF_UPDATE = 5;
/** Denoiser calls of a sampler that is cheap enough. */
const MOST_NFE = 4;
/** Samples of a probe, of pictures and of vectors: no more than an update sees, for the memory they take; at least LEAST. */
const [PICTURES, VECTORS, LEAST] = [20, 256, 8];
/** Elements of all samples of a probe, and real samples for each of its own. */
const [MOST_ELEMENTS, REAL_FOR_EACH] = [2 ** 20, 8];
/** Samples of one class that follow each other. */
const OF_A_CLASS = 4;
/** No training and no judging draws from it. */
const PROBE_SEED = 98;

/** The role of a stage whose samples are looked at: a learner that is sampled in few steps. */
function lookedAt({ method }: Trainer, stage: Stage): string | undefined {
  const { samplers } = method;
  const samplerOf = (role: string) => stage.samplers?.[role] ?? samplers[role];
  return [...learnersOf(stage)].find((role) => samplerOf(role)?.steps.length <= MOST_NFE);
}

/**
 * Looks at a stage from outside: samples of its maker, always from the same noise and with the weights that are being trained,
 * beside real ones. What it draws is drawn for it alone, so no update depends on it.
 */
export class HealthProbe {
  /** Steps between two readings: a multiple of the stage's cycle. */
  readonly every: number;
  readonly #drawing: Drawing | undefined;
  #sight: Promise<Sight | undefined> | undefined;
  /** Samples of the last two readings, the newer first. */
  readonly #before: Float32Array[] = [];

  private constructor(every: number, drawing?: Drawing) {
    this.every = every;
    this.#drawing = drawing;
  }

  static async create(backend: Backend, trainer: Trainer, dataset: Dataset, stage: Stage): Promise<HealthProbe> {
    const drawing = await drawingOf(backend, trainer, dataset, stage);
    const { cycle, steps, batch } = stage;
    const turns = cycle.flat().length / cycle.length;
    const calls = drawing ? drawing.drawer.nfe * drawing.count : 0;
    const affordable = (CALLS_PER_CALL * calls) / (CALLS_OF_UPDATE * turns * batch);
    const wanted = Math.max(Math.min(steps / READINGS, LONGEST), affordable, 1);
    return new HealthProbe(Math.ceil(wanted / cycle.length) * cycle.length, drawing);
  }

  /** What the samples are like now; nothing where the stage makes none, or the data could not be read. */
  async look(): Promise<Record<string, number>> {
    if (!this.#drawing) return {};
    this.#sight ??= sightOf(this.#drawing);
    const sight = await this.#sight;
    if (!sight) return {};
    const { request, labels, data } = sight;
    const { shape, x } = await this.#drawing.drawer.draw(request);
    const [before, earlier] = this.#before;
    const found = sampleStatistics({ shape, x, labels }, data, before, earlier);
    this.#before.unshift(x);
    this.#before.length = Math.min(2, this.#before.length);
    return Object.fromEntries(Object.entries(found).map(([name, value]) => [`samples/${name}`, value]));
  }

  dispose(): void {
    this.#drawing?.drawer.dispose();
  }
}

interface Drawing {
  readonly drawer: SampleDrawer;
  readonly dataset: Dataset;
  readonly count: number;
  /** Real samples to compare with. */
  readonly rows: number;
}

/** What samples are asked for, and what they are compared with. */
interface Sight {
  readonly request: DrawRequest;
  readonly labels: ArrayLike<number> | undefined;
  readonly data: DataStatistics;
}

async function drawingOf(
  backend: Backend,
  trainer: Trainer,
  dataset: Dataset,
  stage: Stage,
): Promise<Drawing | undefined> {
  const role = lookedAt(trainer, stage);
  if (role === undefined) return undefined;
  const { memory, method, traces } = trainer;
  const sampler = stage.samplers?.[role] ?? method.samplers[role];
  const player = trainer.players[role] as Player<Denoiser>;
  const { sample } = dataset.shape;
  const most = Math.min(sample.length === 1 ? VECTORS : PICTURES, Math.max(LEAST, stage.batch));
  const fitting = (count: number) => Math.max(2, Math.min(count, Math.floor(MOST_ELEMENTS / sizeOf(sample))));
  const count = fitting(most);
  const drawer = await SampleDrawer.create(backend, memory, player, sampler, dataset.shape, count, {
    copy: "weights",
    traces,
  });
  if (drawer.nfe > MOST_NFE) {
    drawer.dispose();
    return undefined;
  }
  return { drawer, dataset, count, rows: Math.max(count, fitting(REAL_FOR_EACH * most)) };
}

/** Reads real samples, if there are some. Those that can't be read end the run where it needs them, not here. */
async function sightOf({ dataset, count, rows }: Drawing): Promise<Sight | undefined> {
  if (dataset.conditionsOnly) return undefined;
  const { sample, condition: entries } = dataset.shape;
  let real: Batch;
  try {
    real = await batchRows(dataset, rows, hostRandom(PROBE_SEED, 0, 0))(0, rows);
  } catch (error) {
    if (error instanceof OnestepError) return undefined;
    throw error;
  }
  const classes = Object.entries(entries).find(([, each]) => each.classes !== undefined && sizeOf(each.shape) === 1);
  const condition = conditionOf(dataset, real, count);
  const labels = classes && condition[classes[0]];
  return {
    request: { count, seed: PROBE_SEED, condition, empty: dataset.empty },
    labels,
    data: dataStatistics({ shape: [rows, ...sample], x: real.x, labels: classes && real.condition[classes[0]] }),
  };
}

/** What samples are asked to show: a few of a class each, or where a class does not say all, what real samples show. */
function conditionOf({ shape }: Dataset, real: Batch, count: number): Batch["condition"] {
  const entries = Object.entries(shape.condition);
  const drawn = entries.every(([, { classes }]) => classes !== undefined);
  const groups = Math.ceil(count / OF_A_CLASS);
  const labelOf = (i: number, classes: number) =>
    classes <= groups ? i % classes : Math.floor((Math.floor(i / OF_A_CLASS) * classes) / groups);
  return Object.fromEntries(
    entries.map(([name, { shape: each, classes }]) => {
      const width = sizeOf(each);
      const values =
        drawn && Int32Array.from({ length: count * width }, (_, i) => labelOf(Math.floor(i / width), classes!));
      return [name, values || real.condition[name].slice(0, count * width)];
    }),
  );
}
