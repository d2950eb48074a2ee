/** The text encoders of Stable Diffusion: CLIP's text towers, and what pipelines take of them. */
import { failure } from "../../../core/errors.ts";
import type { Encoder, JsonObject, ModelPart } from "../../../core/interfaces/mod.ts";
import type { FileSystem } from "../../../core/io/mod.ts";
import { frozenPart, type Scope } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { CLIP_CONTEXT } from "./clipContext.ts";
import { type ClipTextOptions, clipText } from "./clipText.ts";
import type { ClipTokenizer } from "./clipTokenizer.ts";

/** A text tower among the parts of a model. */
export interface PromptEncoderOptions {
  readonly name: string;
  readonly part: ModelPart;
  /** Where `merges.txt` is. */
  readonly vocabulary: { readonly files: FileSystem; readonly path: string };
  /** What fills a row: the end token, or 0. */
  readonly padding: "end" | "zero";
  /** What `text` is: the last state after the final norm, or the last but one without it. */
  readonly state: "last" | "penultimate";
  /** Whether the projected state of the end token is wanted too, as `pooled`. */
  readonly pooled?: boolean;
}

/** A text tower: texts → `text` [B, 77, width], and `pooled` [B, projected] where that is asked for. */
export interface PromptEncoder extends Encoder {
  readonly sizes: ClipTextOptions;
  cut(texts: readonly string[]): Promise<readonly (string | undefined)[]>;
}

export function promptEncoder(options: PromptEncoderOptions): PromptEncoder {
  const { name, part, vocabulary, padding, state, pooled = false } = options;
  const sizes = clipTextSizes(part.config ?? {}, part.configFrom ?? part.from);
  if (pooled && !sizes.projected)
    throw failure("E_CONFIG", `Cannot use ${part.from}: it has no projection_dim, the pooled text needs a projection`);
  if (sizes.positions < CLIP_CONTEXT)
    throw failure(
      "E_CONFIG",
      `Cannot use ${part.from}: it knows ${sizes.positions} positions, should know ${CLIP_CONTEXT}`,
    );
  const encode = (scope: Scope, ids: Tensor) => promptStates(scope, ids, sizes, { state, pooled });
  let read: Promise<ClipTokenizer> | undefined;
  const tokenizer = async () => {
    const { files, path } = vocabulary;
    const merges = new TextDecoder().decode(await files.read(path));
    // Its table of HTML's entities is large: loaded when there is text to encode.
    const { ClipTokenizer } = await import("./clipTokenizer.ts");
    return new ClipTokenizer(merges, path, sizes.vocabulary);
  };
  const known = () => (read ??= tokenizer());
  return {
    name,
    sizes,
    context: CLIP_CONTEXT,
    widths: { text: sizes.width, ...(pooled && { pooled: sizes.projected! }) },
    async tokens(texts, prefix = "") {
      checkPrompts(texts);
      return (await known()).rows(texts, padding, prefix);
    },
    async cut(texts) {
      checkPrompts(texts);
      const tokens = await known();
      return texts.map((text) => tokens.cut(text));
    },
    bind: (scope) => ({ encode: (ids) => encode(scope, ids) }),
    load: async () => frozenPart(name, part, (scope) => void encode(scope, input("ids", [1, CLIP_CONTEXT], "i32"))),
  };
}

/** The longest prompt, and the longest word in one, in letters: of 75 tokens, a longer one is a mistake, and takes long to tell apart. */
const [LONGEST_PROMPT, LONGEST_WORD] = [100_000, 1000];

/** Throws E_OPTION for a text that is no prompt. */
function checkPrompts(texts: readonly string[]): void {
  for (const text of texts) {
    const word = text.match(new RegExp(`\\S{${LONGEST_WORD + 1},}`, "u"))?.[0] ?? "";
    if (text.length <= LONGEST_PROMPT && word === "") continue;
    const what = word === "" ? `it has ${text.length} letters` : `a word of it has ${word.length} letters`;
    const most = word === "" ? LONGEST_PROMPT : LONGEST_WORD;
    throw failure("E_OPTION", `Cannot read the prompt "${text.slice(0, 20)}…": ${what}, should have at most ${most}`, {
      fix: "shorten it; the text encoder reads 75 tokens",
    });
  }
}

/** What models are told of prompts, ids i32 [B, N] → `text` [B, N, width] and maybe `pooled` [B, projected]. */
export function promptStates(
  scope: Scope,
  ids: Tensor,
  sizes: ClipTextOptions,
  { state, pooled = false }: Pick<PromptEncoderOptions, "state" | "pooled">,
): Readonly<Record<string, Tensor>> {
  const { states, last, embeds } = clipText(scope, ids, { ...sizes, projected: pooled ? sizes.projected : undefined });
  return { text: state === "last" ? last : states[states.length - 2], ...(embeds && { pooled: embeds }) };
}

/** Layers at most: far more than a text tower has, and few enough to be traced in a moment. */
const MOST_LAYERS = 200;

/** Sizes of a text tower out of its `config.json`. @throws E_CONFIG for one that is missing, or an activation that is not known */
export function clipTextSizes(config: JsonObject, from: string): ClipTextOptions {
  const whole = (name: string, usual?: number, most = 2 ** 24): number => {
    const value = config[name] ?? usual;
    if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= most) return value as number;
    throw failure(
      "E_CONFIG",
      `Cannot read the config of ${from}: ${name} is ${JSON.stringify(value)}, should be a whole number from 1 to ${most}`,
    );
  };
  const activation = config.hidden_act ?? "quick_gelu";
  if (activation !== "quick_gelu" && activation !== "gelu")
    throw failure(
      "E_CONFIG",
      `Cannot read the config of ${from}: hidden_act is ${JSON.stringify(activation)}, should be quick_gelu or gelu`,
    );
  const sizes: ClipTextOptions = {
    vocabulary: whole("vocab_size", 49_408),
    width: whole("hidden_size"),
    layers: whole("num_hidden_layers", undefined, MOST_LAYERS),
    heads: whole("num_attention_heads"),
    inner: whole("intermediate_size"),
    positions: whole("max_position_embeddings", CLIP_CONTEXT),
    activation,
    ...(config.projection_dim !== undefined && { projected: whole("projection_dim") }),
  };
  if (sizes.width % sizes.heads !== 0)
    throw failure(
      "E_CONFIG",
      `Cannot read the config of ${from}: hidden_size is ${sizes.width} and num_attention_heads ${sizes.heads}, should divide it`,
    );
  return sizes;
}
