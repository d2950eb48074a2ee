import type { Resolver } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import {
  BACKEND,
  CACHE,
  DATA_SHAPE,
  DATASET,
  type Dataset,
  type Extractor,
  extractorNamed,
  type Pace,
  paceOf,
  type SampleSet,
} from "../../../core/interfaces/mod.ts";
import { FrozenNetwork, type RowStream, type Rows } from "../../../core/nn/mod.ts";
import { formatShape, joined, sameShape, sizeOf } from "../../../core/tensor/mod.ts";
import { checkPictures } from "./checkPictures.ts";
import type { FeatureRows } from "./kernelDistance.ts";
import { type PictureOptions, prepared, preparedShape } from "./pictures.ts";
import { type Reference, reference } from "./reference.ts";

/** Images that an extractor looks at together, unless it says how many. */
const BATCH = 50;
/** Images of the reference that are read together. */
const PORTION = 200;

/** The features of one set of samples, which comes in portions. */
export interface FeatureSet {
  take(samples: SampleSet): Promise<void>;
  /** Features of all samples taken, by name, one row each; maps count as long vectors. */
  rows(): Readonly<Record<string, FeatureRows>>;
}

/**
 * An extractor at work for all metrics of a run that ask for it: each image passes through it once, whoever looks. Images are
 * made bytes first, as files of pictures have them.
 */
export class Features {
  readonly extractor: Extractor;
  readonly #container: Resolver;
  readonly #how: PictureOptions;
  /** [C, H, W] of what the network is given. */
  readonly #shape: readonly number[];
  #network: Promise<FrozenNetwork> | undefined;
  #reference: Reference | undefined;
  readonly #seen = new WeakMap<SampleSet, Promise<Rows>>();
  #users = 0;

  private constructor(container: Resolver, name: string, how: PictureOptions) {
    this.extractor = extractorNamed(container, name);
    this.#container = container;
    this.#how = how;
    const { sample } = container.get(DATA_SHAPE);
    this.#shape = sample.length === 3 ? preparedShape(sample, how, this.extractor.reads) : sample;
    checkPictures(sample, this.#shape, this.extractor);
  }

  /** The one of a run, by extractor and how pictures are made. */
  static of(container: Resolver, name: string, how: PictureOptions): Features {
    const known = all.get(container) ?? new Map<string, Features>();
    all.set(container, known);
    const key = JSON.stringify([name, how.bytes, how.size, how.cut]);
    const found = known.get(key) ?? new Features(container, name, how);
    known.set(key, found);
    found.#users++;
    return found;
  }

  /** A set of samples to look at. */
  begin(): FeatureSet {
    const portions: Rows[] = [];
    let count = 0;
    return {
      take: async (samples) => {
        portions.push(await this.#rowsOf(samples));
        count += samples.shape[0];
      },
      rows() {
        if (portions.length === 0) throw failure("E_CONFIG", "Cannot judge samples: there are none");
        const all = Object.keys(portions[0]).map((name) => {
          const data = joined(portions.map((rows) => rows[name])) as Float32Array;
          return [name, { data, D: data.length / count }];
        });
        return Object.fromEntries(all);
      },
    };
  }

  /** Metrics are given the same portions one after the other. */
  #rowsOf(samples: SampleSet): Promise<Rows> {
    let rows = this.#seen.get(samples);
    if (!rows) {
      rows = this.#opened().then(async (network) => {
        const stream = network.stream();
        await this.#look(stream, samples.x, samples.shape.slice(1));
        return stream.end();
      });
      this.#seen.set(samples, rows);
    }
    return rows;
  }

  /** Samples of a shape pass through the network, a few at a time: resized they may take hundreds of times their memory. */
  async #look(stream: RowStream, x: Float32Array, sample: readonly number[], told?: Pace): Promise<void> {
    const size = sizeOf(sample);
    const step = size * this.#together;
    for (let first = 0; first < x.length; first += step) {
      await told?.("the reference is looked at", first / size, x.length / size);
      await stream.take({ x: this.#prepared(x.subarray(first, first + step), sample) });
    }
  }

  get #together(): number {
    return this.extractor.together ?? BATCH;
  }

  /** Features of the held-out samples of the run's data, or of all samples where none are held out. */
  reference(): Reference {
    this.#reference ??= this.#referenceTo(this.#container.get(DATASET));
    return this.#reference;
  }

  #referenceTo(dataset: Dataset): Reference {
    const { backend, name, software } = this.#container.get(BACKEND).info;
    return reference({
      compute: () => this.#readReference(dataset),
      pace: paceOf(this.#container),
      cache: this.#container.has(CACHE) ? this.#container.get(CACHE) : undefined,
      identity: async () => {
        const data = await dataset.fingerprint?.();
        if (data === undefined) return undefined;
        const network = await (await this.#opened()).fingerprint();
        const { size, fit, resized } = this.extractor.reads;
        const pixels = [dataset.shape.sample, this.#how, size ?? null, fit ?? "stretch", resized ?? "floats"];
        return [data, pixels, network, backend, name, software ?? false];
      },
    });
  }

  async #readReference(dataset: Dataset): Promise<{ rows: Rows; count: number }> {
    const network = await this.#opened();
    const stream = network.stream();
    const { sample } = dataset.shape;
    const pace = paceOf(this.#container);
    const test = await dataset.test?.();
    if (test) {
      await this.#look(stream, test.x, sample, pace);
      return { rows: await stream.end(), count: test.count };
    }
    if (!Number.isFinite(dataset.size))
      throw failure("E_CONFIG", `Cannot judge ${dataset.name}: it has no end, should be a stored set of images`);
    for (let first = 0; first < dataset.size; first += PORTION) {
      await pace("the reference is looked at", first, dataset.size);
      const count = Math.min(PORTION, dataset.size - first);
      const { x } = await dataset.batch(
        Int32Array.from({ length: count }, (_, i) => first + i),
        () => 0,
      );
      await this.#look(stream, x, sample);
    }
    return { rows: await stream.end(), count: dataset.size };
  }

  #opened(): Promise<FrozenNetwork> {
    this.#network ??= this.#open();
    return this.#network;
  }

  async #open(): Promise<FrozenNetwork> {
    const { extractor } = this;
    return FrozenNetwork.open(this.#container.get(BACKEND), {
      weights: await extractor.load(),
      inputs: { x: { shape: this.#shape } },
      apply: (scope, { x }) => extractor.bind(scope).features(x),
      batch: this.#together,
    });
  }

  /** Samples of a shape as the network reads them. */
  #prepared(x: Float32Array, sample: readonly number[]): Float32Array {
    const { reads, name } = this.extractor;
    const shape = preparedShape(sample, this.#how, reads);
    if (!sameShape(shape, this.#shape))
      throw failure(
        "E_DATA",
        `Cannot judge images ${formatShape(sample)} with ${name} beside others of ${formatShape(this.#shape)}: should be equally large`,
      );
    return prepared(x, sample, this.#how, reads);
  }

  /** Every metric that asked for it gives it back; the last one frees the device. */
  async release(): Promise<void> {
    if (--this.#users > 0) return;
    const network = await this.#network?.catch(() => undefined);
    network?.dispose();
    this.#network = undefined;
  }
}

const all = new WeakMap<Resolver, Map<string, Features>>();
