/** Writes tiny models of Stable Diffusion in the layout of real ones: what tests and examples draw with and distil. */

import { Container } from "../../core/di/mod.ts";
import { placeholders } from "../../core/diffusion/mod.ts";
import {
  type JsonObject,
  type ModelPart,
  type ModelPartName,
  type ModelParts,
  NETWORK,
  PIPELINE,
  type PipelineModel,
} from "../../core/interfaces/mod.ts";
import { type FileSystem, float32ToFloat16, type TensorSource, writeSafetensors } from "../../core/io/mod.ts";
import { initialise, layoutOf, type Scope, unpackArenas } from "../../core/nn/mod.ts";
import { input } from "../../core/ops/mod.ts";
import { provideShape } from "../../core/train/run/compose.ts";
import { unet2d } from "../../plugins/networks/unet2d.ts";
import { sd15 } from "../../plugins/pipelines/sd15.ts";
import { sdxl } from "../../plugins/pipelines/sdxl.ts";
import { type TinyModel, tinyModels } from "./models.ts";

/** How a tiny model is written. */
export interface TinyOptions {
  readonly kind: keyof typeof tinyModels;
  /** How numbers are stored; F16 by default, as published models are. */
  readonly dtype?: "F16" | "F32";
  /** All weights follow from it; 0 by default. */
  readonly seed?: number;
  /** Settings of the U-Net in place of the model's own. */
  readonly unet?: JsonObject;
}

/** Names of the files of weights. */
const fileOf = (part: ModelPartName): string =>
  part.startsWith("text_encoder") ? "model.safetensors" : "diffusion_pytorch_model.safetensors";

/** Writes a folder with `model_index.json`, a folder for each part, the tokenizers and the scheduler. */
export async function writeTinyModel(files: FileSystem, path: string, options: TinyOptions): Promise<void> {
  const { kind, dtype = "F16", seed = 0, unet = {} } = options;
  const { parts, ...others }: TinyModel = tinyModels[kind];
  const tiny = { ...others, parts: { ...parts, unet: { ...parts.unet, ...unet } } };
  const put = async (content: unknown, ...name: string[]) => {
    const folder = files.join(path, ...name.slice(0, -1));
    await files.makeDir(folder);
    const text = typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
    await files.write(files.join(path, ...name), new TextEncoder().encode(text));
  };
  await put(tiny.index, "model_index.json");
  await put(tiny.scheduler, "scheduler", "scheduler_config.json");
  for (const [folder, padding] of Object.entries(tiny.tokenizers)) {
    await put(`#version: 0.2\n${tiny.merges.join("\n")}\n`, folder, "merges.txt");
    await put(vocabulary(tiny.merges), folder, "vocab.json");
    await put(special(padding), folder, "special_tokens_map.json");
    await put(
      { tokenizer_class: "CLIPTokenizer", model_max_length: 77, ...special(padding) },
      folder,
      "tokenizer_config.json",
    );
  }
  for (const [part, network] of Object.entries(networksOf(kind, tiny, files)) as [ModelPartName, Network][]) {
    await put(tiny.parts[part], part, "config.json");
    await writeSafetensors(files, files.join(path, part, fileOf(part)), weightsOf(network, dtype, seed), {
      format: "pt",
    });
  }
}

/** Asks a scope for all its parameters. */
type Network = (scope: Scope) => void;

/** The networks that the pipeline makes of the settings. */
function networksOf(kind: TinyOptions["kind"], tiny: TinyModel, files: FileSystem) {
  const container = new Container();
  (kind === "sd15" ? sd15() : sdxl()).install(container);
  const empty = ([name, config]: [string, JsonObject]): [string, ModelPart] => [
    name,
    { from: name, config, tensors: Object.create(null) },
  ];
  const parts: ModelParts = {
    path: kind,
    layout: "diffusers",
    architecture: kind,
    parts: Object.fromEntries(Object.entries(tiny.parts).map(empty)),
    scheduler: tiny.scheduler,
    vocabulary: "merges.txt",
  };
  const model = container.get(PIPELINE).open(parts, files);
  const texts = model.encoders.map(
    ({ bind, context }): Network =>
      (scope) => {
        bind(scope).encode(input("ids", [1, context], "i32"));
      },
  );
  const { bind } = model.autoencoder!;
  return {
    unet: unetOf(model),
    vae: ((scope) => {
      bind(scope).encode(input("x", [1, 3, 64, 64]));
      bind(scope).decode(input("z", [1, 4, 8, 8]));
    }) as Network,
    text_encoder: texts[0],
    ...(texts[1] && { text_encoder_2: texts[1] }),
  };
}

function unetOf(model: PipelineModel): Network {
  const container = new Container();
  const { use: _, ...options } = model.config.network;
  unet2d.configure(options).install(container);
  const shape = model.shape({ size: model.size });
  provideShape(container, shape, "the model");
  const network = container.get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return (scope) => void network.apply(scope, x, sigma, condition);
}

function weightsOf(network: Network, dtype: "F16" | "F32", seed: number): TensorSource[] {
  const layout = layoutOf(network);
  const values = unpackArenas(layout, initialise(layout, seed));
  return Object.entries(values).map(([name, { shape, data }]) => ({
    name,
    shape,
    dtype,
    read: () => (dtype === "F16" ? float32ToFloat16(data) : data),
  }));
}

const START = "<|startoftext|>";
const END = "<|endoftext|>";
const special = (padding: string) => ({ bos_token: START, eos_token: END, unk_token: END, pad_token: padding });

/** Ids by token: signs of bytes, the same at the end of a word, merged pairs, start and end. */
function vocabulary(merges: readonly string[]): Record<string, number> {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const own = bytes.filter(printable).map((byte) => String.fromCharCode(byte));
  const others = bytes.filter((byte) => !printable(byte)).map((_, i) => String.fromCharCode(256 + i));
  const letters = [...own, ...others];
  const tokens = [
    ...letters,
    ...letters.map((letter) => `${letter}</w>`),
    ...merges.map((pair) => pair.replace(" ", "")),
    START,
    END,
  ];
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}
