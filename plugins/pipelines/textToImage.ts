/** Pictures from texts with a model in files, for programs: what `onestep sample --model` does. */
import { failure } from "../../core/errors.ts";
import {
  type Backend,
  type DataShape,
  type HostArray,
  type ModelParts,
  PIPELINE,
  type Pipeline,
  type PipelineModel,
} from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/mod.ts";
import type { PictureSize } from "../../core/pixels/mod.ts";
import type { Registry, Setting } from "../../core/plugin/mod.ts";
import type { Pixels } from "./shared/draw.ts";
import { type DrawingWishes, drawingOf } from "./shared/drawing.ts";
import { encodePrompts } from "./shared/encodePrompts.ts";
import { openLora } from "./shared/loraFile.ts";
import { mergeLora } from "./shared/mergeLora.ts";
import type { Drawing } from "./shared/students.ts";

/** A LoRA to add to a model. */
export interface LoraWish {
  readonly path: string;
  /** How much of it; 1 by default. */
  readonly scale?: number;
}

/** How a model is opened. */
export interface OpenPipelineOptions {
  /** Where it is drawn. */
  readonly backend: Backend;
  /** The plugins that are known: pipelines, networks, processes, samplers. */
  readonly registry: Registry;
  /** Weights of a network that take the place of the model's own, such as DMD2's, in any form that models have. */
  readonly unet?: string;
  readonly loras?: readonly LoraWish[];
  /** An autoencoder in place of the model's own, such as TAESD: its folder or file. */
  readonly vae?: string;
  /** A `merges.txt`, for models that came without. */
  readonly vocabulary?: string;
  /** Variant of the files that is taken where it is there, such as "fp16". */
  readonly variant?: string;
  /** Hears what a caller should know, a sentence each. */
  readonly note?: (text: string) => void;
}

/** What a picture is made of. */
export interface GenerateRequest extends DrawingWishes {
  /** A text, or several that take turns; none for a model that is told none. */
  readonly prompt?: string | readonly string[];
  /** The class of all pictures, by name or number from 0, for a model that is told one; every class in turn without it. */
  readonly label?: string;
  /** What guidance leads away from, in place of no text; a model that draws without guidance refuses it. */
  readonly negative?: string;
  /**
   * How far predictions go from those of the negative text, D_neg + s·(D − D_neg), for a model that is told its guidance and so needs
   * no second call for it: with a negative text it makes one. 1.5 by default.
   */
  readonly negativeScale?: number;
  /** Pictures; by default one for each prompt, or one. */
  readonly count?: number;
  /** Every random draw follows from it; 0 by default. Picture i starts from the same noise however many are drawn. */
  readonly seed?: number;
  /** Of each picture; by default what the model was made for. */
  readonly size?: PictureSize;
  /** Options of the sampler that are set last. */
  readonly settings?: readonly Setting[];
  /** Pictures drawn together; by default as many as take little memory. */
  readonly together?: number;
  /** Latents on a side that are decoded together. */
  readonly tile?: number;
  /** Hears how far each part of the work is. */
  readonly onProgress?: (progress: GenerateProgress) => void;
  /** Ends the work; `generate` then rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** How far the work is. */
export interface GenerateProgress {
  /** `texts` are encoded, `weights` read, `steps` drawn, `pictures` decoded. */
  readonly part: "texts" | "weights" | "steps" | "pictures";
  readonly done: number;
  readonly total: number;
}

/** Pictures, and what they were made with. */
export interface Generated {
  /** RGB, row by row from the top left. */
  readonly pictures: readonly Pixels[];
  /** Network calls for each. */
  readonly nfe: number;
  readonly size: PictureSize;
  readonly seed: number;
  readonly drawing: Drawing;
}

/** Adapts the parts of a model, and says what was done. */
async function assembled(
  files: FileSystem,
  path: string,
  options: Omit<OpenPipelineOptions, "backend">,
): Promise<ModelParts> {
  const { variant, unet, loras = [], vae, vocabulary, note = () => {} } = options;
  // What opens and draws is loaded when it is needed: a list of plugins needs none of it.
  const { openModelParts } = await import("./shared/modelParts.ts");
  let parts = await openModelParts(files, path, { variant });
  const from = async (other: string, name: "unet" | "vae") => {
    const { architecture, parts: own } = await openModelParts(files, other, { variant });
    const found = own[name];
    if (!found) throw failure("E_CHECKPOINT", `Cannot use ${other}: it has no ${name}, expected the weights of one`);
    if (name === "unet" && architecture !== parts.architecture)
      throw failure(
        "E_CHECKPOINT",
        `Cannot use ${other} in ${path}: it is the network of a model "${architecture}", should be of "${parts.architecture}"`,
        { fix: "give the model that it was made from" },
      );
    return found;
  };
  if (unet !== undefined) {
    const { from: file, tensors } = await from(unet, "unet");
    const own = parts.parts.unet;
    parts = {
      ...parts,
      sampler: undefined,
      parts: { ...parts.parts, unet: { ...own, from: file, tensors } },
    };
  }
  if (vae !== undefined) parts = { ...parts, parts: { ...parts.parts, vae: await from(vae, "vae") } };
  if (vocabulary !== undefined) parts = { ...parts, vocabulary, vocabulary2: vocabulary };
  for (const lora of loras) {
    const { model, layers, passedOver } = mergeLora(parts, await openLora(files, lora.path), lora.scale ?? 1);
    note(
      `${lora.path} changes ${layers} layers${passedOver.length > 0 ? `; ${passedOver.length} of parts that the model lacks are left out` : ""}`,
    );
    parts = model;
  }
  return parts;
}

/**
 * Opens a model in any form that people hold; only names, shapes and settings are read.
 *
 * ```ts
 * const model = await openPipeline(files, "stable-diffusion-v1-5", { backend, registry });
 * const { pictures } = await model.generate({ prompt: "a lighthouse at dawn", steps: 25, seed: 7 });
 * ```
 * @throws E_FILE, E_CHECKPOINT or E_DATA for files that are missing, damaged or of no model; E_CONFIG for settings that are not known
 */
export async function openPipeline(
  files: FileSystem,
  path: string,
  options: OpenPipelineOptions,
): Promise<OpenedPipeline> {
  const { pipeline, parts, model } = await openModel(files, path, options);
  return new OpenedPipeline(pipeline, parts, model, options);
}

/** A model as its pipeline understands it, without a device to draw on: what a run that trains it is told. Throws as `openPipeline`. */
export async function openModel(
  files: FileSystem,
  path: string,
  options: Omit<OpenPipelineOptions, "backend">,
): Promise<Pick<OpenedPipeline, "pipeline" | "parts" | "model">> {
  const parts = await assembled(files, path, options);
  const { Container } = await import("../../core/di/mod.ts");
  const pipelines = options.registry.list("pipeline").map((plugin) => {
    const container = new Container();
    plugin.configure().install(container);
    return container.get(PIPELINE);
  });
  const pipeline = pipelines.find((each) => each.reads(parts));
  if (!pipeline)
    throw failure(
      "E_CHECKPOINT",
      `Cannot draw with ${path}: its parts are those of ${parts.architecture === "unknown" ? "no model that is known" : `a model of the kind "${parts.architecture}"`}, pipelines are ${pipelines.map(({ name }) => name).join(", ")}`,
      { fix: "`onestep inspect` says what it holds; a network alone is laid over its model with --unet FILE" },
    );
  return { pipeline, parts, model: pipeline.open(parts, files) };
}

/** By default, of models that are told their guidance: generators, whose predictions bear less than a teacher's. */
const NEGATIVE_SCALE = 1.5;

/** A model to draw with. It holds no weights between two calls. */
export class OpenedPipeline {
  readonly pipeline: Pipeline;
  readonly parts: ModelParts;
  readonly model: PipelineModel;
  readonly #options: OpenPipelineOptions;

  constructor(pipeline: Pipeline, parts: ModelParts, model: PipelineModel, options: OpenPipelineOptions) {
    this.pipeline = pipeline;
    this.parts = parts;
    this.model = model;
    this.#options = options;
  }

  /** What `generate` would draw with. @throws as `generate` does for wishes that can't be granted */
  drawing(wishes: DrawingWishes): Drawing {
    const { model, parts, pipeline } = this;
    return drawingOf({ model, parts, pipeline: pipeline.name }, wishes, this.#options.registry);
  }

  /**
   * Draws pictures. One network after another is in memory: text encoders, then the denoiser, then the decoder.
   * @throws E_OPTION for a size, sampler or number that can't be; E_CHECKPOINT for weights that do not fit or are missing
   */
  async generate(request: GenerateRequest): Promise<Generated> {
    const { backend, registry, note = () => {} } = this.#options;
    const { negative, seed = 0, size = this.model.size, onProgress, signal } = request;
    const prompts = this.#prompts(request.prompt);
    const { count = Math.max(1, prompts.length) } = request;
    if (!(Number.isInteger(count) && count > 0))
      throw failure("E_OPTION", `Cannot draw ${count} pictures: expected a whole number above 0`);
    const drawing = this.drawing(request);
    const { model } = this;
    const { autoencoder } = model;
    if (!autoencoder)
      throw failure(
        "E_CHECKPOINT",
        `Cannot draw with ${this.parts.path}: it has no autoencoder, expected a part "vae"`,
        {
          fix: "give one with --vae FILE",
        },
      );
    const tell = async (progress: GenerateProgress) => {
      signal?.throwIfAborted();
      onProgress?.(progress);
    };
    const factor = this.#factor(request, drawing);
    const away = factor > 1 ? (negative ?? model.emptyText) : undefined;
    const shape = model.shape({ size, negative: away !== undefined });
    const { condition: told, empty } = await encodePrompts(backend, model, {
      prompts: Array.from({ length: Math.min(count, prompts.length) }, (_, i) => prompts[i]),
      away,
      count,
      size,
      guidanceScale: drawing.guidanceScale,
      note,
      pace: (done, total) => tell({ part: "texts", done, total }),
    });
    const { decodeLatents, drawLatents } = await import("./shared/draw.ts");
    const drawn = await drawLatents(backend, registry, {
      model,
      drawing: { ...drawing, guidanceScale: factor },
      shape,
      settings: request.settings,
      together: request.together,
      request: { count, seed, condition: { ...told, ...labelled(request.label, shape, count) }, empty },
      loading: (done, total) => tell({ part: "weights", done, total }),
      pace: (done, total) => tell({ part: "steps", done, total }),
    });
    const pictures = await decodeLatents(backend, autoencoder, drawn.x, {
      size,
      tile: request.tile,
      pace: (done, total) => tell({ part: "pictures", done, total }),
    });
    return { pictures, nfe: drawn.nfe, size, seed, drawing };
  }

  /**
   * How far predictions are led from those of another text, in a second call; 1 is not at all.
   * @throws E_OPTION for a negative text where nothing leads away from it
   */
  #factor({ negative, negativeScale }: GenerateRequest, { as, guidanceScale }: Drawing): number {
    const refuse = (why: string, fix: string) =>
      failure("E_OPTION", `Cannot draw with ${this.parts.path}: ${why}`, { fix });
    const { guidanceEmbedded, encoders } = this.model;
    if (negative !== undefined && encoders.length === 0)
      throw refuse("it is told no text, and there is a negative one", "leave --negative out");
    if (negativeScale !== undefined && (negative === undefined || !guidanceEmbedded))
      throw refuse(
        negative === undefined
          ? "a scale for a negative prompt is given, and there is no such prompt"
          : "it is not told its guidance, which leads away from the negative prompt already",
        negative === undefined ? "say what to avoid with --negative" : "use --guidance in place of --negative-scale",
      );
    if (guidanceEmbedded) return negative === undefined ? 1 : (negativeScale ?? NEGATIVE_SCALE);
    if (negative !== undefined && guidanceScale <= 1)
      throw refuse(
        `as ${as} it draws without guidance, and nothing leads away from the negative prompt`,
        "set --guidance above 1, such as 1.5, which doubles the network calls, or leave --negative out",
      );
    return Math.max(1, guidanceScale);
  }

  /** The texts, where the model is told some, and only there. */
  #prompts(given: string | readonly string[] = []): readonly string[] {
    const prompts = typeof given === "string" ? [given] : given;
    const isTold = this.model.encoders.length > 0;
    if (isTold === prompts.length > 0) return prompts;
    throw failure(
      "E_OPTION",
      `Cannot draw with ${this.parts.path}: ${isTold ? "there is no prompt, expected a text" : "it is told no text, and there is a prompt"}`,
      { fix: isTold ? "say what to draw with --prompt" : "leave --prompt out" },
    );
  }
}

/** The class that a text means for all pictures. @throws E_OPTION where the model knows no such class */
function labelled(text: string | undefined, { condition }: DataShape, count: number): Record<string, HostArray> {
  if (text === undefined) return {};
  const { classes = 0, names = [] } = condition.label ?? {};
  const label = names.includes(text) ? names.indexOf(text) : /^\d+$/.test(text) ? Number(text) : -1;
  if (label >= 0 && label < classes) return { label: new Int32Array(count).fill(label) };
  throw failure(
    "E_OPTION",
    `Cannot draw class ${text}: ${classes > 0 ? `classes are 0 to ${classes - 1}` : "the model is told no class"}`,
    { fix: classes > 0 ? "choose another --label" : "leave --label out" },
  );
}
