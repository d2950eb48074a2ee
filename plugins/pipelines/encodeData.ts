/** Pictures and captions → shards of latents and encoded texts, for programs: what `onestep data encode` does. */
import { failure } from "../../core/errors.ts";
import type { Backend, DataShape, Offload, PipelineModel } from "../../core/interfaces/mod.ts";
import {
  type FileSystem,
  type Framing,
  openPictureTask,
  type PictureHeader,
  pictureHeader,
  sha256,
  takenOf,
} from "../../core/io/mod.ts";
import { FrozenNetwork, type Rows, weightsHash } from "../../core/nn/mod.ts";
import type { PictureSize } from "../../core/pixels/mod.ts";
import { sampleNoise } from "../../core/random/mod.ts";
import { joined, sizeOf } from "../../core/tensor/mod.ts";
import { Coder } from "../autoencoders/shared/coder.ts";
import type { PictureSet } from "../datasets/shared/pictureSet.ts";
import { type Skipped, unusable } from "../datasets/shared/skipped.ts";
import { captionsOf } from "../datasets/shared/streamedPictures.ts";
import { EMPTY_FILE, type EncodedRows, isWritten, shardName, writeShard } from "./shared/encodedShards.ts";

/** Texts that are encoded together. */
const TOGETHER = 8;

/** What becomes a row of a shard: a picture with its caption, or a text alone. */
export interface EncodedItem {
  /** What messages call it. */
  readonly path: string;
  /** The bytes of a PNG, JPEG or WebP file; absent for a text alone. */
  readonly picture?: () => Promise<Uint8Array>;
  readonly caption: () => Promise<string>;
}

/** What to encode, with what, and where to. */
export interface EncodeRequest {
  readonly files: FileSystem;
  readonly backend: Backend;
  readonly model: PipelineModel;
  readonly items: readonly EncodedItem[];
  /** What is known to be of no use, such as pictures without captions. */
  readonly bad?: readonly Skipped[];
  /** Folder of the shards. */
  readonly out: string;
  /** Of the pictures that are encoded; what the model was made for without it. */
  readonly size?: PictureSize;
  /** Bytes of a shard at most, but one row at least; 128 MiB by default. */
  readonly shardBytes?: number;
  /** Whether what can't be used is left out and told of, instead of ending the work. */
  readonly skipBad?: boolean;
  /** Every draw of a latent follows from it; 0 by default. */
  readonly seed?: number;
  /** Whether a model that is told sizes hears those of each picture, or of a whole one of `size` for all, as DMD2 has it. */
  readonly timeIds?: "picture" | "whole";
  readonly offload?: Offload;
  readonly note?: (text: string) => void;
  readonly onProgress?: (done: number, total: number) => void;
  /** Ends the work after a picture; a later call goes on with the shard that was not finished. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface EncodedData {
  readonly rows: number;
  readonly shards: number;
  /** Shards that were there already. */
  readonly found: number;
  readonly skipped: readonly Skipped[];
}

/** The pictures of a set, in its order. */
export const picturesToEncode = ({ pictures }: PictureSet): EncodedItem[] =>
  pictures.map((placed) => ({
    path: placed.path,
    picture: () => placed.file.read(),
    caption: async () => (placed.caption === undefined ? "" : (await captionsOf([placed]))[0]),
  }));

/** Texts without pictures, for methods that need no data. */
export const promptsToEncode = (prompts: readonly string[], from: string): EncodedItem[] =>
  prompts.map((prompt, i) => ({ path: `${from}, prompt ${i + 1}`, caption: async () => prompt }));

/**
 * Encodes pictures and captions into shards that the dataset `latents` reads: latents drawn once from the autoencoder's Gaussian, as
 * DMD2 does it, the encoded captions, and what stands for no text. A shard has the rows of a fixed part of the items, so that a work
 * that was ended goes on with the shard after the last one, and leaves the bytes of one that was not.
 * @throws E_DATA for an item that can't be used; E_RUN_EXISTS where the folder holds another encoding
 */
export async function encodeData(request: EncodeRequest): Promise<EncodedData> {
  const { files, model, items, bad = [], out, skipBad = false, signal, shardBytes = 128 * 2 ** 20 } = request;
  const { size = model.size, note = () => {}, onProgress } = request;
  if (bad.length > 0 && !skipBad) throw unusable(bad, items.length + bad.length, SKIP);
  if (items.length === 0) throw failure("E_DATA", `Cannot encode into ${out}: there is nothing to encode`);
  if (items[0].picture !== undefined && !model.autoencoder)
    throw failure("E_CHECKPOINT", `Cannot encode pictures: the model has no autoencoder, expected a part "vae"`, {
      fix: "give one with --vae FILE",
    });
  const shape = model.shape({ size, negative: model.emptyText !== undefined });
  const rows = Math.max(1, Math.floor(shardBytes / rowBytes(shape, items[0].picture !== undefined)));
  const encoding = await encodingOf(request, rows);
  await files.makeDir(out);
  const claim = await files.claim?.(files.join(out, "encode.lock"));
  const skipped: Skipped[] = [...bad];
  let coders: Coders | undefined;
  let [written, found] = [0, 0];
  const open = async () => (coders ??= await Coders.open(request, shape, size));
  try {
    const { emptyText } = model;
    const emptyFile = files.join(out, EMPTY_FILE);
    if (emptyText !== undefined && !(await isWritten(files, emptyFile, encoding)))
      await writeShard(files, emptyFile, await (await open()).empty(emptyText), encoding);
    const shards = Math.ceil(items.length / rows);
    for (let place = 0; place < shards; place++) {
      const path = files.join(out, shardName(place));
      const part = items.slice(place * rows, (place + 1) * rows);
      onProgress?.(place * rows, items.length);
      if (await isWritten(files, path, encoding)) {
        found++;
        continue;
      }
      const made = await (await open()).rows(part, place * rows, {
        skip: (each) => {
          if (!skipBad) throw unusable([each], items.length, SKIP);
          skipped.push(each);
          note(`${each.path} is left out: ${each.why}`);
        },
        pace(done) {
          signal?.throwIfAborted();
          onProgress?.(place * rows + done, items.length);
        },
      });
      written += made.x?.shape[0] ?? made.text?.shape[0] ?? 0;
      if (written + found === 0 && place === shards - 1)
        throw failure("E_DATA", `Cannot encode into ${out}: none of ${items.length} items can be used`, {
          fix: SKIPPED,
        });
      await writeShard(files, path, made, encoding);
    }
    onProgress?.(items.length, items.length);
    return { rows: written, shards: shards - found, found, skipped };
  } finally {
    coders?.dispose();
    await claim?.release();
  }
}

const SKIPPED = "mend what the notes name, or give other pictures";
const SKIP = "mend it, take it out, or leave out what can't be used with --skip-bad";

/** Bytes of a row in a shard. */
function rowBytes({ sample, condition }: DataShape, pictured: boolean): number {
  const told = Object.values(condition).reduce((sum, { shape }) => sum + 2 * sizeOf(shape), 0);
  return told + (pictured ? 2 * sizeOf(sample) : 0);
}

/** A text that two encodings share only if they make the same bytes of the same items. */
async function encodingOf(request: EncodeRequest, rows: number): Promise<string> {
  const { model, items, size = model.size, seed = 0, timeIds = "picture", skipBad = false } = request;
  const { encoders, autoencoder } = model;
  const pictured = items[0].picture !== undefined;
  const weights: string[] = [];
  for (const encoder of encoders) weights.push(await weightsHash(await encoder.load()));
  if (pictured && autoencoder) weights.push(await weightsHash(await autoencoder.load("encoder")));
  const named = new TextEncoder().encode(JSON.stringify(items.map(({ path }) => path)));
  const parts = { items: await sha256(named), weights, size, seed, timeIds, skipBad, rows, version: 1 };
  return JSON.stringify({ ...parts, sample: pictured ? undefined : model.shape({ size }).sample });
}

/** A picture as samples, and the box that was taken of it. */
interface FramedPicture {
  /** [C, H, W] in [-1, 1] */
  readonly x: Float32Array;
  /** Original height and width, top and left of the crop in pixels of the new size, target height and width. */
  readonly timeIds: readonly number[];
}

/** The encoders of a model on the device, all at once: they take turns from row to row. */
class Coders {
  readonly #request: EncodeRequest;
  readonly #shape: DataShape;
  readonly #size: PictureSize;
  readonly #texts: readonly FrozenNetwork[];
  readonly #pictures: Coder | undefined;
  readonly #framed: (bytes: Uint8Array) => Promise<FramedPicture | string>;
  readonly #end: () => Promise<void>;

  private constructor(
    request: EncodeRequest,
    shape: DataShape,
    size: PictureSize,
    texts: readonly FrozenNetwork[],
    pictures: Coder | undefined,
    framer: Awaited<ReturnType<typeof pictureFramer>>,
  ) {
    this.#request = request;
    this.#shape = shape;
    this.#size = size;
    this.#texts = texts;
    this.#pictures = pictures;
    this.#framed = framer.framed;
    this.#end = framer.end;
  }

  static async open(request: EncodeRequest, shape: DataShape, size: PictureSize): Promise<Coders> {
    const { backend, model, items, offload } = request;
    const texts: FrozenNetwork[] = [];
    for (const encoder of model.encoders)
      texts.push(
        await FrozenNetwork.open(backend, {
          weights: await encoder.load(),
          inputs: { ids: { shape: [encoder.context], dtype: "i32" } },
          apply: (scope, { ids }) => encoder.bind(scope).encode(ids),
          batch: Math.min(TOGETHER, items.length),
        }),
      );
    const pictured = items[0].picture !== undefined;
    const coder = pictured ? await Coder.open(backend, model.autoencoder!, { half: "encoder", size }) : undefined;
    const channels = model.autoencoder?.channels.picture === 1 ? 1 : 3;
    return new Coders(request, shape, size, texts, coder, await pictureFramer(size, channels, offload));
  }

  /** What stands for no text, by the names that `latents` knows. */
  async empty(text: string): Promise<EncodedRows> {
    const told = await this.#told([text]);
    const entries = Object.entries(told).filter(([name]) => name === "text" || name === "pooled");
    return Object.fromEntries(
      entries.map(([name, { shape, data }]) => [`unconditional.${name}`, { shape: shape.slice(1), data }]),
    );
  }

  /** @param first place of the first item among all, which decides its draws */
  async rows(
    items: readonly EncodedItem[],
    first: number,
    { skip, pace }: { skip: (each: Skipped) => void; pace: (done: number) => void },
  ): Promise<EncodedRows> {
    const [texts, latents, ids]: [string[], Float32Array[], number[][]] = [[], [], []];
    for (const [i, { path, picture, caption }] of items.entries()) {
      pace(i);
      const text = (await caption()).trim();
      if (text === "") {
        skip({ path, why: "it has no caption, should have a text that says what it shows" });
        continue;
      }
      if (picture) {
        const framed = await this.#framed(await picture());
        if (typeof framed === "string") {
          skip({ path, why: framed });
          continue;
        }
        latents.push(await this.#latent(framed.x, first + i));
        ids.push([...framed.timeIds]);
      }
      texts.push(text);
    }
    if (texts.length === 0) return {};
    const told = await this.#told(texts);
    const { sample } = this.#shape;
    const whole = this.#request.timeIds === "whole" || ids.length === 0;
    return {
      ...(latents.length > 0 && { x: { shape: [latents.length, ...sample], data: joined(latents) } }),
      ...told,
      ...(told.timeIds && !whole && { timeIds: { ...told.timeIds, data: Float32Array.from(ids.flat()) } }),
    };
  }

  /** Scaled latents: the mean of what the autoencoder says, and its deviation times noise of this place. */
  async #latent(x: Float32Array, place: number): Promise<Float32Array> {
    const { mean, deviation } = await this.#pictures!.run(x);
    if (!deviation) return mean.slice();
    const eps = new Float32Array(mean.length);
    sampleNoise(eps, { seed: this.#request.seed ?? 0, draw: 0, first: place, size: mean.length });
    return mean.map((value, i) => value + deviation[i] * eps[i]);
  }

  /** What the model is told of texts, with a row for each. */
  async #told(texts: readonly string[]): Promise<EncodedRows> {
    const { model } = this.#request;
    const encoded: Rows[] = [];
    for (const [i, encoder] of model.encoders.entries())
      encoded.push(await this.#texts[i].run({ ids: await encoder.tokens(texts) }));
    const told = model.conditions({ size: this.#size, encoded, count: texts.length });
    return Object.fromEntries(
      Object.entries(told).map(([name, data]) => [
        name,
        { shape: [texts.length, ...this.#shape.condition[name].shape], data: Float32Array.from(data) },
      ]),
    );
  }

  dispose(): void {
    for (const network of this.#texts) network.dispose();
    this.#pictures?.dispose();
    void this.#end();
  }
}

/** Brings pictures to a size: the middle with its aspect, resized as Pillow does it with Lanczos; a text says what is wrong with one. */
async function pictureFramer(size: PictureSize, channels: 1 | 3, offload: Offload | undefined) {
  const task = await openPictureTask(["PNG", "JPEG", "WebP"]);
  const decoder = offload?.(task) ?? {
    run: async (files: Parameters<typeof task>[0]) => task(files),
    dispose: async () => {},
  };
  const { width, height } = size;
  const framing: Framing = { size: [height, width], fit: "crop", filter: "lanczos" };
  const framed = async (bytes: Uint8Array): Promise<FramedPicture | string> => {
    const header = pictureHeader(bytes);
    if ("fault" in header) return header.fault;
    const { x, broken, fault } = await decoder.run({
      files: [bytes.slice()],
      framing,
      shape: [channels, height, width],
      mirrored: [false],
    });
    return broken < 0 ? { x, timeIds: timeIdsOf(header, framing, size) } : fault;
  };
  return { framed, end: () => decoder.dispose() };
}

/** What SDXL is told of a picture: it was trained with the size before resizing, and the crop after it. */
function timeIdsOf(header: PictureHeader, framing: Framing, { width, height }: PictureSize): number[] {
  const taken = takenOf(header, framing)!;
  const top = Math.round((taken.top * height) / taken.height);
  const left = Math.round((taken.left * width) / taken.width);
  return [header.height, header.width, top, left, height, width];
}
