/** Pictures taken out of their files, batch by batch. */
import { failure } from "../../../core/errors.ts";
import type { Offload, Offloaded } from "../../../core/interfaces/mod.ts";
import {
  type Framing,
  openPictureTask,
  type PictureFiles,
  type PictureFormat,
  type PicturePixels,
} from "../../../core/io/mod.ts";
import type { PictureShape } from "./pictureFraming.ts";
import { wholeBuffer } from "./readPictures.ts";
import { together } from "./together.ts";

/** A picture by what a batch has to know of it. */
export interface Taken {
  readonly path: string;
  readonly label: number;
}

/** What batches are made of. */
export interface PictureBatchesOptions<T extends Taken> {
  /** A picture's file. */
  readonly bytesOf: (picture: T) => Promise<Uint8Array>;
  /** Formats that there may be. */
  readonly formats: Iterable<PictureFormat>;
  readonly shape: PictureShape;
  readonly framing: Framing;
  readonly offload?: Offload;
  /** Whether a picture whose data turn out to be damaged has its place taken by the next one of its class. */
  readonly skipBad: boolean;
  /** Told of each such picture, once. */
  readonly skipped?: (path: string, fault: string) => void;
}

/** Decodes pictures: in a worker, where there is one. */
export class PictureBatches<T extends Taken> {
  readonly #options: PictureBatchesOptions<T>;
  readonly #decoder: Offloaded<PictureFiles, PicturePixels>;
  /** Pictures whose data turned out to be damaged, and those that take their place. */
  readonly #instead = new Map<T, T>();

  private constructor(options: PictureBatchesOptions<T>, decoder: Offloaded<PictureFiles, PicturePixels>) {
    this.#options = options;
    this.#decoder = decoder;
  }

  /** With the codecs that these formats need. */
  static async open<T extends Taken>(options: PictureBatchesOptions<T>): Promise<PictureBatches<T>> {
    const task = await openPictureTask(options.formats);
    const here: Offloaded<PictureFiles, PicturePixels> = { run: async (files) => task(files), dispose: async () => {} };
    return new PictureBatches(options, options.offload?.(task) ?? here);
  }

  /**
   * Pixels of rows, [B, C, H, W] in [-1, 1]. Row n + i of n pictures is picture i mirrored.
   * @throws E_DATA for a picture whose data are damaged
   */
  async take(rows: ArrayLike<number>, among: readonly T[]): Promise<Float32Array> {
    const { bytesOf, framing, shape, skipBad, skipped } = this.#options;
    const mirrored = Array.from(rows, (row) => row >= among.length);
    for (;;) {
      const taken = Array.from(rows, (row) => this.#standIn(among[row % among.length]));
      const files = new Array<Uint8Array>(taken.length);
      await together(taken.length, async (i) => {
        files[i] = wholeBuffer(await bytesOf(taken[i]));
      });
      const { x, broken, fault } = await this.#decoder.run({ files, framing, shape, mirrored });
      if (broken < 0) return x;
      const bad = taken[broken];
      const other = skipBad ? this.#nextTo(bad, among) : undefined;
      if (!other)
        throw failure("E_DATA", `Cannot use ${bad.path}: ${fault}`, {
          fix: "write or download the file again, take it out, or pass over such files with --set dataset.skipBad=true",
        });
      // Another batch may have found it meanwhile.
      if (!this.#instead.has(bad)) skipped?.(bad.path, fault);
      this.#instead.set(bad, other);
    }
  }

  dispose(): Promise<void> {
    return this.#decoder.dispose();
  }

  #standIn(picture: T): T {
    let taken = picture;
    for (let next = this.#instead.get(taken); next; next = this.#instead.get(taken)) taken = next;
    return taken;
  }

  /** The next picture of the same class, by which a damaged one is always replaced; none where all others are damaged. */
  #nextTo(bad: T, among: readonly T[]): T | undefined {
    const place = among.indexOf(bad);
    for (let step = 1; step < among.length; step++) {
      const next = among[(place + step) % among.length];
      if (next.label === bad.label && !this.#instead.has(next)) return next;
    }
    return undefined;
  }
}
