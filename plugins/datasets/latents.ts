import { failure } from "../../core/errors.ts";
import { type Batch, type ConditionEntry, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { toFloat32 } from "../../core/io/mod.ts";
import { parseJson } from "../../core/json/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { formatShape, sizeOf } from "../../core/tensor/mod.ts";
import {
  checkFinite,
  chooseRows,
  ENCODING_KEY,
  FLOATS,
  openShards,
  readColumns,
  type Shards,
  type StoredColumn,
  takeRows,
} from "./shared/shards.ts";
import { StreamedRows, storedBytes } from "./shared/streamedRows.ts";

type Columns = Shards<StoredColumn>["columns"];

/** The embedding of no text, by what it stands for. */
const EMPTY = { text: "unconditional.text", pooled: "unconditional.pooled" } as const;

/**
 * Latents with the embeddings of their captions, made beforehand by a model's own encoders: every `.safetensors` file of the
 * data folder is a shard with `x` [N, C, h, w], scaled as the model wants it, and `text` [N, L, D]; for SDXL also `pooled`
 * [N, P] and `timeIds` [N, 6]. F32, F16 or BF16. One file has `unconditional.text` [L, D], the encoding of an empty text (with a
 * pooled one `unconditional.pooled` [P]), which guidance leads away from. Samples [C, h, w]. `onestep data encode` makes such files, and files of texts alone, without `x`,
 * for methods that need no real samples. Shards stay in memory as stored, up to `cache` of them.
 */
export const latentsDataset = definePlugin({
  name: "latents",
  kind: "dataset",
  about: "Latents and text embeddings of your own, from safetensors files in the data folder",
  options: {
    unconditional: choice(["stored", "zero"], {
      default: "stored",
      about: "what the embedding of no text is: that of the files, or zero as SDXL takes it",
    }),
    sigmaData: number({
      default: 1,
      above: 0,
      about: "standard deviation of the data, for losses that take one",
    }),
    cache: number({
      default: 1024,
      min: 0,
      about:
        "MiB of shards that stay in memory; of larger sets a batch reads its own rows, and as many stay as have room",
    }),
  },
  async create({ unconditional: kind, sigmaData, cache }, container): Promise<Dataset> {
    const opened = await openShards({
      name: "latents",
      ...container.get(DATA_FOLDER),
      singles: Object.values(EMPTY),
      specs: {
        x: { dtypes: FLOATS, rank: 4, optional: true },
        text: { dtypes: FLOATS, rank: 3 },
        pooled: { dtypes: FLOATS, rank: 2, optional: true },
        timeIds: { dtypes: [...FLOATS, "I64", "I32"], rank: 2, optional: true },
      },
    });
    const { columns, count, singles } = opened;
    checkTogether(columns);
    const { x, ...texts } = columns;
    const sample = x?.shape ?? sampleIn(opened);
    const take = await taking(opened, cache * 2 ** 20);
    const empty = kind === "zero" ? {} : emptyTexts(singles, texts);
    const isKnown = kind === "zero" || Object.keys(empty).length > 0;
    const emptyOf = (name: string): ConditionEntry["empty"] => {
      if (name === "timeIds") return "same";
      return name in empty ? "stored" : isKnown ? "zero" : undefined;
    };
    const entries = Object.entries(texts).map(([name, { shape }]) => [
      name,
      { shape, dtype: "f32", empty: emptyOf(name) },
    ]);
    return {
      name: "latents",
      shape: { sample, condition: Object.fromEntries(entries), sigmaData },
      size: count,
      conditionsOnly: !x,
      choose: (amount, random) => chooseRows("latents", amount, count, random),
      empty,
      async batch(which, random) {
        const rows = chooseRows("latents", which, count, random);
        const condition: Record<string, Float32Array> = {};
        for (const name of Object.keys(texts)) condition[name] = await take(name, rows);
        return x ? { x: await take("x", rows), condition } : withoutLatents(condition);
      },
    };
  },
});

/** Takes rows of a column: of what is in memory, or of files that are too large for it. */
async function taking(
  opened: Shards<StoredColumn>,
  room: number,
): Promise<(key: string, rows: ArrayLike<number>) => Float32Array | Promise<Float32Array>> {
  if (storedBytes(opened.columns) > room) {
    const rows = new StreamedRows("latents", opened, room);
    return (key, which) => rows.take(key, which);
  }
  const { columns, place } = await readColumns(opened);
  for (const [key, column] of Object.entries(columns)) checkFinite("latents", key, column);
  return (key, rows) => takeRows(columns[key], rows, place);
}

/** The shape of the latents that texts without any are for, as `onestep data encode --prompts` notes it. */
function sampleIn({ metadata, columns }: Shards<StoredColumn>): readonly number[] {
  let noted: unknown;
  try {
    noted = (parseJson(metadata[ENCODING_KEY] ?? "{}") as { sample?: unknown } | null)?.sample;
  } catch {
    noted = undefined;
  }
  const isShape = Array.isArray(noted) && noted.length === 3 && noted.every((n) => Number.isInteger(n) && n > 0);
  if (isShape) return noted as number[];
  throw failure(
    "E_DATA",
    `Cannot load latents: ${columns.text.files[0]} has texts and no x, should have latents [N, C, h, w] beside them`,
    { fix: "encode texts alone with `onestep data encode --prompts FILE`, which notes the shape of the latents" },
  );
}

/** A batch of texts alone; who asks for its latents hears what to do without. */
const withoutLatents = (condition: Batch["condition"]): Batch => ({
  get x(): Float32Array {
    throw failure(
      "E_DATA",
      "Cannot take latents: the data are texts alone, and a loss or a picture needs real samples",
      {
        fix: "leave the GAN out with --set losses.gan-generator=off --set losses.gan-discriminator=off --set critic.head=false, or encode pictures",
      },
    );
  },
  condition,
});

/** Pooled embeddings and time ids go together. */
function checkTogether({ pooled, timeIds }: Columns): void {
  if (!pooled !== !timeIds)
    throw failure(
      "E_DATA",
      `Cannot load latents: the files have ${pooled ? "pooled" : "timeIds"} without ${pooled ? "timeIds" : "pooled"}, should have both or neither`,
    );
  if (timeIds && timeIds.shape[0] !== 6)
    throw failure(
      "E_DATA",
      `Cannot load latents: timeIds has ${timeIds.shape[0]} numbers per row, should have 6: height and width, crop, target height and width`,
    );
}

/** The embedding of no text, as the files have it. */
function emptyTexts(singles: Shards["singles"], texts: Columns): Readonly<Record<string, Float32Array>> {
  const found: Record<string, Float32Array> = {};
  for (const [entry, name] of Object.entries(EMPTY)) {
    if (!singles[name]) continue;
    const { tensor, file } = singles[name];
    const shape = texts[entry]?.shape;
    const fits = shape && sizeOf(tensor.shape) === sizeOf(shape) && tensor.shape.at(-1) === shape.at(-1);
    if (!fits || !(FLOATS as readonly string[]).includes(tensor.dtype))
      throw failure(
        "E_DATA",
        `Cannot use ${file}: ${name} is ${tensor.dtype} ${formatShape(tensor.shape)}, should be ${FLOATS.join(" or ")} ${shape ? formatShape(shape) : "only where there is pooled"}`,
      );
    checkFinite("latents", name, { ...tensor, parts: [tensor.data], files: [file] });
    found[entry] = toFloat32(tensor);
  }
  return found;
}
