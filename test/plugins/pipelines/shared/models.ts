// Layouts of true and of tiny models, and files of them that are made up: what the readers and writers of models are tested with.
import { placeholders } from "../../../../core/diffusion/mod.ts";
import { type ConditionShape, NETWORK } from "../../../../core/interfaces/mod.ts";
import type { FileEntry, StoredTensor } from "../../../../core/io/mod.ts";
import { layoutOf, type Scope } from "../../../../core/nn/mod.ts";
import { input } from "../../../../core/ops/mod.ts";
import { type AutoencoderKlOptions, decodeKl, encodeKl } from "../../../../plugins/autoencoders/shared/kl.ts";
import { type ClipTextOptions, clipText } from "../../../../plugins/encoders/shared/clipText.ts";
import { unet2d } from "../../../../plugins/networks/unet2d.ts";
import { compose } from "../../support.ts";

/** Shapes of parameters by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

const shapesOf = (network: (scope: Scope) => void): Shapes =>
  Object.fromEntries(layoutOf(network).entries.map(({ name, shape }) => [name, shape]));

type UnetOptions = NonNullable<Parameters<typeof unet2d>[0]>;

/** The U-Net of these settings. */
export function unetShapes(options: UnetOptions, widths: { text: number; pooled?: number }): Shapes {
  const condition: ConditionShape = {
    text: { shape: [7, widths.text], dtype: "f32" },
    ...(widths.pooled && {
      pooled: { shape: [widths.pooled], dtype: "f32" as const },
      timeIds: { shape: [6], dtype: "f32" as const },
    }),
  };
  const shape = { sample: [4, 8, 8], condition, sigmaData: 1 };
  const network = compose(shape, unet2d(options)).get(NETWORK);
  const { x, sigma, condition: told } = placeholders(shape);
  return shapesOf((scope) => void network.apply(scope, x, sigma, told));
}

export const vaeShapes = (options: AutoencoderKlOptions): Shapes =>
  shapesOf((scope) => {
    encodeKl(scope, input("x", [1, options.pictureChannels, 16, 16]), options);
    decodeKl(scope, input("z", [1, options.latentChannels, 4, 4]), options);
  });

export const textShapes = (options: ClipTextOptions): Shapes =>
  shapesOf((scope) => void clipText(scope, input("ids", [1, 4], "i32"), options));

/** Settings of SDXL's U-Net. */
export const SDXL_UNET: UnetOptions = {
  channels: [320, 640, 1280],
  downBlocks: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
  upBlocks: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
  heads: [5, 10, 20],
  transformerLayers: [1, 2, 10],
  linearProjection: true,
  timeIdWidth: 256,
};
export const KL = { channels: [128, 256, 512, 512], layers: 2, latentChannels: 4, pictureChannels: 3, groups: 32 };

/** The text towers of Stable Diffusion 1.x and SDXL. */
export const CLIP_L = {
  vocabulary: 49408,
  positions: 77,
  width: 768,
  layers: 12,
  heads: 12,
  inner: 3072,
  activation: "quick_gelu",
} as const;
export const BIG_G = {
  ...CLIP_L,
  width: 1280,
  layers: 32,
  heads: 20,
  inner: 5120,
  activation: "gelu",
  projected: 1280,
} as const;

const TINY = { channels: [8, 16, 16, 16], groups: 4, heads: [2] };
export const TINY_SD15: Shapes = unetShapes(TINY, { text: 12 });
export const TINY_SDXL: Shapes = unetShapes(
  { ...SDXL_UNET, channels: [8, 16, 16], groups: 4, heads: [1, 2, 2], transformerLayers: [1, 1, 2], timeIdWidth: 4 },
  { text: 32, pooled: 20 },
);
export const TINY_VAE: Shapes = vaeShapes({ ...KL, channels: [8, 16], layers: 1, groups: 4 });
const TEXT = { vocabulary: 11, positions: 7, layers: 2, heads: 2, inner: 24, activation: "quick_gelu" as const };
export const TINY_TEXT: Shapes = textShapes({ ...TEXT, width: 12 });
export const TINY_TEXT_2: Shapes = textShapes({ ...TEXT, width: 20, inner: 40, projected: 20 });

/** Numbers that differ from tensor to tensor and from place to place, and fit into every float of 16 bits. */
export function numbersOf(name: string, shape: readonly number[], scale = 1 / 64): Float32Array {
  const seed = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1009, 7);
  return Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => (((seed + i * 37) % 127) - 63) * scale,
  );
}

/** Stored tensors with such numbers. */
export const tensorsOf = (shapes: Shapes): Record<string, StoredTensor> =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, { dtype: "F32", shape, data: numbersOf(name, shape) }]),
  );

/** The same as entries of a file. */
export const entriesOf = (tensors: Readonly<Record<string, StoredTensor>>): Record<string, FileEntry> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      { dtype: tensor.dtype, shape: tensor.shape, read: async () => tensor },
    ]),
  );

/** Entries that can't be read, of tensors too large for it. */
export const unread = (shapes: Shapes): Record<string, FileEntry> =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      { dtype: "F16", shape, read: () => Promise.reject(new Error(`${name} was read`)) },
    ]),
  );

/** All numbers of entries, by name. */
export async function readAll(entries: Readonly<Record<string, FileEntry>>): Promise<Record<string, StoredTensor>> {
  const read: Record<string, StoredTensor> = {};
  for (const [name, entry] of Object.entries(entries)) read[name] = await entry.read();
  return read;
}
