import { failure } from "../../core/errors.ts";
import { type ConditionEntry, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { toFloat32 } from "../../core/io/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { formatShape, sizeOf } from "../../core/tensor/mod.ts";
import { checkFinite, chooseRows, FLOATS, readShards, type Shards, takeRows } from "./shared/shards.ts";

/** The embedding of no text, by what it stands for. */
const EMPTY = { text: "unconditional.text", pooled: "unconditional.pooled" } as const;

/**
 * Latents with the embeddings of their captions, made beforehand by a model's own encoders: every `.safetensors` file of the
 * data folder is a shard with `x` [N, C, h, w], scaled as the model wants it, and `text` [N, L, D]; for SDXL also `pooled`
 * [N, P] and `timeIds` [N, 6]. F32, F16 or BF16. One file has `unconditional.text` [L, D], the encoding of an empty text (with a
 * pooled one `unconditional.pooled` [P]), which guidance leads away from. Samples [C, h, w]; shards stay in memory as stored.
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
  },
  async create({ unconditional: kind, sigmaData }, container): Promise<Dataset> {
    const { count, columns, place, singles } = await readShards({
      name: "latents",
      ...container.get(DATA_FOLDER),
      singles: Object.values(EMPTY),
      specs: {
        x: { dtypes: FLOATS, rank: 4 },
        text: { dtypes: FLOATS, rank: 3 },
        pooled: { dtypes: FLOATS, rank: 2, optional: true },
        timeIds: { dtypes: [...FLOATS, "I64", "I32"], rank: 2, optional: true },
      },
    });
    for (const [key, column] of Object.entries(columns)) checkFinite("latents", key, column);
    checkTogether(columns);
    const { x, ...texts } = columns;
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
      shape: { sample: x.shape, condition: Object.fromEntries(entries), sigmaData },
      size: count,
      choose: (amount, random) => chooseRows("latents", amount, count, random),
      empty,
      batch(which, random) {
        const rows = chooseRows("latents", which, count, random);
        const taken = Object.entries(texts).map(([name, column]) => [name, takeRows(column, rows, place)]);
        return { x: takeRows(x, rows, place), condition: Object.fromEntries(taken) };
      },
    };
  },
});

/** Pooled embeddings and time ids go together. */
function checkTogether({ pooled, timeIds }: Shards["columns"]): void {
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
function emptyTexts(singles: Shards["singles"], texts: Shards["columns"]): Readonly<Record<string, Float32Array>> {
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
