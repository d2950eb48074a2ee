/** The two halves of drawing a picture: latents with the engine's own drawer, and pixels of latents. */
import { failure, OnestepError } from "../../../core/errors.ts";
import {
  type Autoencoder,
  type Backend,
  type DataShape,
  type ModelPart,
  type PipelineModel,
  type PipelineSection,
  SAMPLER,
  TEACHER,
} from "../../../core/interfaces/mod.ts";
import type { FileEntry } from "../../../core/io/mod.ts";
import { asStored } from "../../../core/nn/mod.ts";
import type { PictureSize } from "../../../core/pixels/mod.ts";
import type { PluginKind, Registry, Setting } from "../../../core/plugin/mod.ts";
import { sizeOf } from "../../../core/tensor/mod.ts";
import { composeSampling, type DrawRequest, Player, SampleDrawer } from "../../../core/train/mod.ts";
import { Coder } from "../../autoencoders/shared/coder.ts";
import type { Drawing } from "./students.ts";

type Pace = (done: number, total: number) => Promise<void>;

/** A picture of 8-bit pixels, RGB or grey, row by row from the top left. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** What to draw, and with what. */
export interface LatentsRequest {
  readonly model: PipelineModel;
  readonly drawing: Drawing;
  readonly shape: DataShape;
  readonly settings?: readonly Setting[];
  readonly together?: number;
  readonly request: Pick<DrawRequest, "count" | "seed" | "condition" | "empty">;
  /** Hears how many tensors of the network are read. */
  readonly loading: Pace;
  /** Hears how many steps of all are done. */
  readonly pace: Pace;
}

/** Places of latents that are drawn together: one picture of 512 pixels, or many small ones. */
const TOGETHER = 64 * 64;

/** Latents [count, …]; no weights stay in memory. */
export async function drawLatents(
  backend: Backend,
  registry: Registry,
  { model, drawing, shape, settings, together, request, loading, pace }: LatentsRequest,
): Promise<{ readonly x: Float32Array; readonly nfe: number }> {
  const made = (kind: PluginKind, { use, ...options }: PipelineSection, given: readonly Setting[] = []) =>
    registry.get(kind, use).configure(options, given);
  const plugins = [
    made("network", model.config.network),
    made("process", drawing.process),
    made("teacher", { use: "guided", guidanceScale: Math.max(1, drawing.guidanceScale) }),
    made("sampler", drawing.sampler, settings),
  ];
  const container = composeSampling(plugins, backend, shape);
  const memory = backend.createMemory();
  let drawer: SampleDrawer | undefined;
  try {
    const sampler = container.get(SAMPLER);
    const { tensors, from } = model.weights;
    // Nothing moves the weights, so that matrices stay in the halves in which files have them.
    const player = new Player("network", container.get(TEACHER), memory, { keptIn: asStored(tensors) });
    const [, height, width] = shape.sample;
    const batch = Math.min(request.count, together ?? Math.max(1, Math.floor(TOGETHER / (height * width))));
    // Names first: settings may ask for far more layers than the file has. Then compiled: what the device lacks is refused before gigabytes are read.
    await player.checkFit(tensors, from);
    drawer = await SampleDrawer.create(backend, memory, player, sampler, shape, batch);
    await player.stream(watched(tensors, player.layout.entries.length, loading), from);
    const total = Math.ceil(request.count / batch) * sampler.steps.length;
    let done = 0;
    const { x, nfe } = await drawer.draw({ ...request, pace: () => pace(Math.min(done++, total), total) });
    checkFinite(x, "latents");
    return { x, nfe };
  } catch (error) {
    throw limited(error, "draw a smaller --size, or fewer pictures together");
  } finally {
    drawer?.dispose();
    memory.dispose();
    await container.dispose();
  }
}

/** The same tensors, whose reading is told. */
function watched(tensors: ModelPart["tensors"], count: number, loading: Pace): ModelPart["tensors"] {
  let read = 0;
  const told = (entry: FileEntry): FileEntry => ({
    dtype: entry.dtype,
    shape: entry.shape,
    async read() {
      await loading(read++, count);
      return entry.read();
    },
  });
  return Object.fromEntries(Object.entries(tensors).map(([name, entry]) => [name, told(entry)]));
}

/** Pictures of latents [N, …] at a size. Values beyond [-1, 1] are clipped, and rounded to whole levels as the official pipelines do. */
export async function decodeLatents(
  backend: Backend,
  autoencoder: Autoencoder,
  x: Float32Array,
  { size, tile, pace }: { readonly size: PictureSize; readonly tile?: number; readonly pace: Pace },
): Promise<Pixels[]> {
  const { channels, factor } = autoencoder;
  const count = (x.length * factor ** 2) / (channels.latent * size.width * size.height);
  const side = Math.max(
    8,
    Math.floor(Math.min(tile ?? autoencoder.tile, size.width / factor, size.height / factor) / 2),
  );
  const coder = await Coder.open(backend, autoencoder, { half: "decoder", size, tile }).catch((error: unknown) => {
    throw limited(error, `decode in smaller tiles, such as --tile ${side}`);
  });
  try {
    const pictures: Pixels[] = [];
    const each = x.length / count;
    const total = count * coder.tiles;
    for (let n = 0; n < count; n++) {
      const decoded = await coder.run(x.subarray(n * each, (n + 1) * each), (done) =>
        pace(n * coder.tiles + done, total),
      );
      checkFinite(decoded.x, "pixels");
      pictures.push(pixelsOf(decoded.x, size, channels.picture === 1 ? 1 : 3));
    }
    await pace(total, total);
    return pictures;
  } finally {
    coder.dispose();
  }
}

/** Numbers that went out of range would be written as black. @throws E_DIVERGED */
function checkFinite(values: Float32Array, what: string): void {
  const bad = values.reduce((sum, value) => sum + Number(!Number.isFinite(value)), 0);
  if (bad === 0) return;
  throw failure(
    "E_DIVERGED",
    `Cannot draw: ${bad} of ${values.length} ${what} are NaN or infinite, should be numbers`,
    {
      fix: "lower --guidance, choose another --sampler or more --steps, or check the scales in the model's settings and LoRAs",
    },
  );
}

/** An error of a device that is too small says what would help; others are as they are. */
function limited(error: unknown, fix: string): unknown {
  if (!(error instanceof OnestepError) || error.code !== "E_DEVICE_LIMIT") return error;
  return failure(error.code, error.message, { cause: error, fix: `${fix}, or use another device` });
}

/** Values [C, H, W] in [-1, 1] as bytes, channels side by side. */
function pixelsOf(values: Float32Array, { width, height }: PictureSize, channels: 1 | 3): Pixels {
  const plane = sizeOf([height, width]);
  const data = new Uint8Array(plane * channels);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < plane; i++) {
      const level = (values[c * plane + i] / 2 + 0.5) * 255;
      data[i * channels + c] = Math.round(Math.min(255, Math.max(0, level)));
    }
  return { width, height, channels, data };
}
