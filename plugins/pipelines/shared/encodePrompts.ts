/** Texts → what a model is told of them, one text encoder in memory at a time. */
import type { Backend, Encoder, HostArray, PipelineModel } from "../../../core/interfaces/mod.ts";
import { FrozenNetwork, type Rows } from "../../../core/nn/mod.ts";
import type { PictureSize } from "../../../core/pixels/mod.ts";

/** Texts that are computed together: at least two, so that a prompt and what it leads away from are one call. */
const TOGETHER = 2;

/** What to encode. */
export interface PromptRequest {
  readonly prompts: readonly string[];
  /** What guidance leads away from. */
  readonly away?: string;
  /** Samples; prompts take turns. */
  readonly count: number;
  readonly size: PictureSize;
  readonly guidanceScale: number;
  /** Hears of texts that are cut. */
  readonly note: (text: string) => void;
  readonly pace: (done: number, total: number) => Promise<void>;
}

/** Conditions of `count` samples, and what guidance leads away from, for `SampleDrawer`. */
export interface PromptConditions {
  readonly condition: Readonly<Record<string, HostArray>>;
  readonly empty?: Readonly<Record<string, HostArray>>;
}

export async function encodePrompts(
  backend: Backend,
  model: PipelineModel,
  { prompts, away, count, size, guidanceScale, note, pace }: PromptRequest,
): Promise<PromptConditions> {
  const texts = away === undefined ? prompts : [...prompts, away];
  const encoded: Rows[] = [];
  const { encoders } = model;
  if (encoders.length > 0) await tellCut(encoders[0], texts, note);
  for (const [i, encoder] of encoders.entries()) {
    await pace(i, encoders.length);
    encoded.push(await encodeTexts(backend, encoder, texts));
  }
  await pace(encoders.length, encoders.length);
  const all = model.conditions({ size, encoded, count: texts.length, guidanceScale });
  const rowsOf = (values: HostArray, rows: readonly number[]): HostArray => {
    const width = values.length / texts.length;
    const out =
      values instanceof Int32Array ? new Int32Array(rows.length * width) : new Float32Array(rows.length * width);
    for (const [to, row] of rows.entries()) out.set(values.subarray(row * width, (row + 1) * width), to * width);
    return out;
  };
  const picked = (rows: readonly number[]) =>
    Object.fromEntries(Object.entries(all).map(([name, values]) => [name, rowsOf(values, rows)]));
  return {
    condition: picked(Array.from({ length: count }, (_, i) => i % Math.max(1, prompts.length))),
    ...(away !== undefined && { empty: picked([prompts.length]) }),
  };
}

/** Rows of each text, by the names of the encoder's outputs; nothing of the encoder stays in memory. */
export async function encodeTexts(backend: Backend, encoder: Encoder, texts: readonly string[]): Promise<Rows> {
  const ids = await encoder.tokens(texts);
  const network = await FrozenNetwork.open(backend, {
    weights: await encoder.load(),
    inputs: { ids: { shape: [encoder.context], dtype: "i32" } },
    apply: (scope, { ids }) => encoder.bind(scope).encode(ids),
    batch: Math.min(TOGETHER, texts.length),
  });
  try {
    return await network.run({ ids });
  } finally {
    network.dispose();
  }
}

/** Says what of each text is left out, as the official pipelines do. */
async function tellCut(encoder: Encoder, texts: readonly string[], note: (text: string) => void) {
  for (const left of new Set((await encoder.cut?.(texts)) ?? []))
    if (left !== undefined)
      note(`the prompt is longer than the ${encoder.context} tokens that the text encoder reads; left out: "${left}"`);
}
