/** One half of an autoencoder on a device, for pictures of one size. */
import { failure } from "../../../core/errors.ts";
import type { Autoencoder, AutoencoderHalf, Backend } from "../../../core/interfaces/mod.ts";
import { FrozenNetwork } from "../../../core/nn/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { addTile, cut, tiledAxis, tileShares } from "./tiles.ts";

/** What to open. */
export interface CoderOptions {
  readonly half: AutoencoderHalf;
  /** Sides of the pictures, multiples of the autoencoder's factor. */
  readonly size: { readonly width: number; readonly height: number };
  /** Pictures, or tiles of pictures, that are computed together; 1 by default. */
  readonly batch?: number;
  /** Latents on a side that are computed together, where not as many as the autoencoder says. */
  readonly tile?: number;
}

/** Images by name, [N, …], row-major: `mean` and maybe `deviation` of latents, or `x`, pictures. */
export type Coded = Readonly<Record<string, Float32Array>>;

/**
 * Encodes pictures or decodes latents. What is larger than a tile is computed in tiles of that size which share a quarter, and
 * blended: group norms then see a tile and not the whole, as in diffusers' tiled autoencoders.
 */
export class Coder {
  readonly #network: FrozenNetwork;
  readonly #autoencoder: Autoencoder;
  readonly #options: CoderOptions;
  readonly #axes: readonly ReturnType<typeof tiledAxis>[];

  private constructor(network: FrozenNetwork, autoencoder: Autoencoder, options: CoderOptions) {
    this.#network = network;
    this.#autoencoder = autoencoder;
    this.#options = options;
    this.#axes = axesOf(autoencoder, options);
  }

  /** @throws E_OPTION for sides that the autoencoder can't halve; what loading its weights and compiling it throws */
  static async open(backend: Backend, autoencoder: Autoencoder, options: CoderOptions): Promise<Coder> {
    const { channels, factor } = autoencoder;
    const [height, width] = axesOf(autoencoder, options).map(({ size }) => size);
    const isEncoder = options.half === "encoder";
    const scale = isEncoder ? factor : 1;
    const network = await FrozenNetwork.open(backend, {
      weights: await autoencoder.load(options.half),
      inputs: { x: { shape: [isEncoder ? channels.picture : channels.latent, height * scale, width * scale] } },
      apply(scope, { x }): Record<string, Tensor> {
        const bound = autoencoder.bind(scope);
        if (!isEncoder) return { x: bound.decode(x) };
        const { mean, deviation } = bound.encode(x);
        return deviation ? { mean, deviation } : { mean };
      },
      batch: options.batch ?? 1,
    });
    return new Coder(network, autoencoder, options);
  }

  /** Tiles of a picture. */
  get tiles(): number {
    return this.#axes.reduce((count, { starts }) => count * starts.length, 1);
  }

  /**
   * Pictures [N, C, height, width] in [-1, 1] → latents, or latents → pictures, about [-1, 1].
   * @param pace called before each tile with how many of all are done; ends the work when it rejects
   */
  async run(x: Float32Array, pace?: (done: number, total: number) => Promise<void>): Promise<Coded> {
    const { channels, factor } = this.#autoencoder;
    const { half, size } = this.#options;
    const isEncoder = half === "encoder";
    const [inScale, outScale] = isEncoder ? [factor, 1] : [1, factor];
    const [inChannels, outChannels] = isEncoder
      ? [channels.picture, channels.latent]
      : [channels.latent, channels.picture];
    const [h, w] = [size.height / factor, size.width / factor];
    const count = x.length / (inChannels * h * inScale * w * inScale);
    if (this.tiles === 1) {
      await pace?.(0, count);
      return (await this.#network.run({ x })) as Coded;
    }
    const [rows, columns] = this.#axes;
    const [rowShares, columnShares] = this.#axes.map((axis) => tileShares(axis, outScale));
    const shape = [outChannels, h * outScale, w * outScale] as const;
    const sizeIn = inChannels * h * inScale * w * inScale;
    const sizeOut = shape[0] * shape[1] * shape[2];
    const out: Record<string, Float32Array> = {};
    let done = 0;
    for (let n = 0; n < count; n++) {
      const image = x.subarray(n * sizeIn, (n + 1) * sizeIn);
      for (const [i, top] of rows.starts.entries())
        for (const [j, left] of columns.starts.entries()) {
          await pace?.(done++, count * this.tiles);
          const part = cut(image, [inChannels, h * inScale, w * inScale], {
            top: top * inScale,
            left: left * inScale,
            height: rows.size * inScale,
            width: columns.size * inScale,
          });
          for (const [name, tile] of Object.entries(await this.#network.run({ x: part }))) {
            const whole = (out[name] ??= new Float32Array(count * sizeOut));
            addTile(whole.subarray(n * sizeOut, (n + 1) * sizeOut), shape, tile as Float32Array, {
              top: top * outScale,
              left: left * outScale,
              rows: rowShares[i],
              columns: columnShares[j],
            });
          }
        }
    }
    return out;
  }

  dispose(): void {
    this.#network.dispose();
  }
}

/** Tiles down and across, in latents. */
function axesOf({ name, factor, tile: own }: Autoencoder, { size, tile = own }: CoderOptions) {
  return [size.height, size.width].map((pixels) => {
    if (Number.isInteger(pixels) && pixels >= factor && pixels % factor === 0) return tiledAxis(pixels / factor, tile);
    throw failure(
      "E_OPTION",
      `Cannot use the autoencoder ${name} on pictures of ${size.width} × ${size.height}: sides should be multiples of ${factor}`,
    );
  });
}
