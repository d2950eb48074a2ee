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
  type SampleSet,
} from "../../../core/interfaces/mod.ts";
import { FrozenNetwork, type Rows } from "../../../core/nn/mod.ts";
import { type ByteRule, resize, toBytes } from "../../../core/pixels/mod.ts";
import { formatShape, joined } from "../../../core/tensor/mod.ts";
import { type Reference, reference } from "./reference.ts";

/** Images that an extractor looks at together. */
const BATCH = 50;
/** Images of the reference that are read together. */
const PORTION = 200;

/** The features of one set of samples, which comes in portions. */
export interface FeatureSet {
  take(samples: SampleSet): Promise<void>;
  /** Features of all samples taken, one row each. */
  rows(): Rows;
}

/**
 * An extractor at work for all metrics of a run that ask for it: each image passes through it once, whoever looks. Images are
 * made bytes first, as files of pictures have them.
 */
export class Features {
  readonly extractor: Extractor;
  readonly #container: Resolver;
  readonly #rule: ByteRule;
  #network: Promise<FrozenNetwork> | undefined;
  #reference: Reference | undefined;
  readonly #seen = new WeakMap<SampleSet, Promise<Rows>>();
  #users = 0;

  private constructor(container: Resolver, name: string, rule: ByteRule) {
    this.extractor = extractorNamed(container, name);
    this.#container = container;
    this.#rule = rule;
    const { sample } = container.get(DATA_SHAPE);
    const { channels, smallest } = this.extractor.reads;
    if (sample.length !== 3 || !channels.includes(sample[0]) || Math.min(sample[1], sample[2]) < smallest)
      throw failure(
        "E_CONFIG",
        `Cannot judge samples ${formatShape(sample)} with ${name}: should be images of ${channels.join(" or ")} channels, ${smallest} pixels or more on each side`,
      );
  }

  /** The one of a run, by extractor and rule. */
  static of(container: Resolver, name: string, rule: ByteRule): Features {
    const known = all.get(container) ?? new Map<string, Features>();
    all.set(container, known);
    const key = `${name} ${rule}`;
    const found = known.get(key) ?? new Features(container, name, rule);
    known.set(key, found);
    found.#users++;
    return found;
  }

  /** A set of samples to look at. */
  begin(): FeatureSet {
    const portions: Rows[] = [];
    return {
      take: async (samples) => void portions.push(await this.#rowsOf(samples)),
      rows() {
        if (portions.length === 0) throw failure("E_CONFIG", "Cannot judge samples: there are none");
        const names = Object.keys(portions[0]);
        return Object.fromEntries(names.map((name) => [name, joined(portions.map((rows) => rows[name]))]));
      },
    };
  }

  /** Metrics are given the same portions one after the other. */
  #rowsOf(samples: SampleSet): Promise<Rows> {
    let rows = this.#seen.get(samples);
    if (!rows) {
      rows = this.#opened().then((network) => network.run({ x: this.#prepared(samples.x) }));
      this.#seen.set(samples, rows);
    }
    return rows;
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
      cache: this.#container.has(CACHE) ? this.#container.get(CACHE) : undefined,
      identity: async () => {
        const data = await dataset.fingerprint?.();
        if (data === undefined) return undefined;
        const network = await (await this.#opened()).fingerprint();
        const { sample } = this.#container.get(DATA_SHAPE);
        return [data, sample, this.#rule, this.extractor.reads.size ?? null, network, backend, name, software ?? false];
      },
    });
  }

  async #readReference(dataset: Dataset): Promise<{ rows: Rows; count: number }> {
    const network = await this.#opened();
    const stream = network.stream();
    const test = await dataset.test?.();
    if (test) {
      await stream.take({ x: this.#prepared(test.x) });
      return { rows: await stream.end(), count: test.count };
    }
    if (!Number.isFinite(dataset.size))
      throw failure("E_CONFIG", `Cannot judge ${dataset.name}: it has no end, should be a stored set of images`);
    for (let first = 0; first < dataset.size; first += PORTION) {
      const count = Math.min(PORTION, dataset.size - first);
      const { x } = await dataset.batch(
        Int32Array.from({ length: count }, (_, i) => first + i),
        () => 0,
      );
      await stream.take({ x: this.#prepared(x) });
    }
    return { rows: await stream.end(), count: dataset.size };
  }

  #opened(): Promise<FrozenNetwork> {
    this.#network ??= this.#open();
    return this.#network;
  }

  async #open(): Promise<FrozenNetwork> {
    const { extractor } = this;
    const [C, H, W] = this.#container.get(DATA_SHAPE).sample;
    const { size } = extractor.reads;
    return FrozenNetwork.open(this.#container.get(BACKEND), {
      weights: await extractor.load(),
      inputs: { x: { shape: size ? [C, size, size] : [C, H, W] } },
      apply: (scope, { x }) => extractor.bind(scope).features(x),
      batch: BATCH,
    });
  }

  /** Images as bytes, resized where the extractor wants it, and back in [-1, 1]. */
  #prepared(x: Float32Array): Float32Array {
    const [, H, W] = this.#container.get(DATA_SHAPE).sample;
    const { size } = this.extractor.reads;
    const bytes = toBytes(x, this.#rule);
    if (!size || (size === H && size === W)) return Float32Array.from(bytes, fromByte);
    const planes = bytes.length / (H * W);
    const out = new Float32Array(planes * size * size);
    for (let plane = 0; plane < planes; plane++) {
      const data = Float32Array.from(bytes.subarray(plane * H * W, (plane + 1) * H * W));
      const picture = { width: W, height: H, channels: 1, data };
      const resized = resize(picture, { width: size, height: size }, "bicubic");
      for (const [i, value] of resized.data.entries())
        out[plane * size * size + i] = fromByte(Math.min(255, Math.max(0, value)));
    }
    return out;
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

const fromByte = (byte: number): number => byte / 127.5 - 1;
