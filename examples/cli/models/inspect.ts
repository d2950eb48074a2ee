/** What weights and model folders are: architecture, parts, types, how they are sampled, and the command that takes them. */
import { files } from "../../../backends/host/files.ts";
import { OnestepError } from "../../../core/errors.ts";
import type { ModelParts } from "../../../core/interfaces/mod.ts";
import { openLora } from "../../../plugins/pipelines/shared/loraFile.ts";
import { isLoraName } from "../../../plugins/pipelines/shared/loraNames.ts";
import { openModelParts } from "../../../plugins/pipelines/shared/modelParts.ts";
import { parameters } from "./asked.ts";

/** A description, and what to do with it. */
export interface ToldModel {
  readonly what: string;
  /** The parts of a file, in one line; how it is sampled. */
  readonly details?: readonly string[];
  readonly use?: string;
  /** A row for each part: name, numbers, types, class, file. */
  readonly rows: readonly (readonly string[])[];
}

const ARCHITECTURES: Readonly<Record<ModelParts["architecture"], string>> = {
  sd15: "Stable Diffusion 1.x",
  sd2: "Stable Diffusion 2.x",
  sdxl: "SDXL",
  edm: "a U-Net of EDM",
  transformer: "a diffusion transformer",
  unknown: "",
};

/** What a folder is that holds a model. @throws E_CHECKPOINT, E_DATA or E_FILE */
export const toldFolder = async (path: string): Promise<ToldModel> => told(await openModelParts(files, path));

/** Why a model can't be drawn with, for all its parts; undefined where it can. */
async function hindrance(path: string): Promise<string | undefined> {
  const [{ openModel }, { loadRegistry }] = await Promise.all([
    import("../../../plugins/pipelines/textToImage.ts"),
    import("../registry.ts"),
  ]);
  try {
    // Encoders are made when they are asked for.
    void (await openModel(files, path, { registry: await loadRegistry([]) })).model.encoders;
    return undefined;
  } catch (error) {
    if (error instanceof OnestepError) return error.message;
    throw error;
  }
}

/**
 * What a file of weights is; undefined for one of no known network.
 * @param names of its tensors
 */
export async function toldFile(path: string, names: readonly string[]): Promise<ToldModel | undefined> {
  // Adapters of a run: the weights below them need not be gone through.
  if (names.length > 0 && names.every(isLoraName)) return toldLora(path);
  try {
    return await told(await openModelParts(files, path));
  } catch (error) {
    if (!(error instanceof OnestepError)) throw error;
    return undefined;
  }
}

async function told(model: ModelParts): Promise<ToldModel> {
  const { path, layout, architecture, parts, scheduler, sampler, network } = model;
  const rows = Object.entries(parts).map(([name, { tensors, config, from }]) => {
    const types = [...new Set(Object.values(tensors).map(({ dtype }) => dtype))].join(", ");
    const className = config?._class_name ?? (config?.architectures as unknown[] | undefined)?.[0];
    return [
      name,
      parameters(tensors),
      types,
      typeof className === "string" ? className : "",
      from === path ? "" : from,
    ];
  });
  const prediction = sampler?.prediction_type ?? scheduler?.prediction_type ?? (network ? "sample" : undefined);
  const edm =
    network &&
    `${network.use} for ${network.sample.join(" × ")} ${network.classes > 0 ? `with ${network.classes} classes` : "without classes"}`;
  const whole = { diffusers: "a folder for diffusers", "single-file": "one file with the original names", network: "" };
  const what = [
    ARCHITECTURES[architecture],
    whole[layout],
    edm,
    prediction && `predicts ${String(prediction)}`,
    typeof scheduler?._class_name === "string" && `scheduler ${scheduler._class_name}`,
  ];
  const details = [
    ...(sampler ? [`the ${sampler.role} of a run, ${sampler.steps} steps${timestepsOf(sampler.timesteps)}`] : []),
    ...(Object.values(parts).some(({ from }) => from !== path)
      ? []
      : [rows.map(([name, count, types]) => `${name} ${count} (${types})`).join(", ")]),
  ];
  const use = useOf(model);
  const why = use?.startsWith(DRAW) ? await hindrance(path) : undefined;
  const shown = why === undefined ? { details, use } : { details: [...details, `can't be drawn with: ${why}`] };
  return { what: what.filter(Boolean).join(", "), rows, ...shown };
}

const timestepsOf = (timesteps: readonly number[] | undefined): string =>
  timesteps ? ` at timesteps ${timesteps.join(", ")}` : "";

const DRAW = "draw with `onestep sample --model";

function useOf({ path, layout, architecture, parts }: ModelParts): string | undefined {
  const isText = architecture === "sd15" || architecture === "sd2" || architecture === "sdxl";
  if (layout !== "network" && isText && parts.vae) return `${DRAW} ${path} --prompt "a photo of a cat"\``;
  if (architecture === "edm" && path.endsWith(".safetensors"))
    return `take its weights as a teacher's: \`onestep train imagenet64 --teacher ${path}\``;
  if (architecture === "edm")
    return `take its weights as a teacher's: \`onestep convert ${path} teacher.safetensors\`, then \`onestep train imagenet64 --teacher teacher.safetensors\``;
  const file = path.endsWith(".safetensors") ? path : "teacher.safetensors";
  const first = file === path ? "" : `\`onestep convert ${path} ${file}\`, then `;
  if (isText && parts.unet)
    return `put it into a model: \`onestep export ${path} OUT --to diffusers --base MODEL\`, or distil it: ${first}\`onestep train ${architecture === "sdxl" ? "sdxl-4step" : "sd15-stage1"} --teacher ${file}\``;
  return undefined;
}

async function toldLora(path: string): Promise<ToldModel> {
  const { pairs } = await openLora(files, path);
  const ranks = [...new Set(pairs.map(({ rank }) => rank))].sort((a, b) => a - b);
  const alphas = [...new Set(pairs.map(({ alpha }) => alpha))].sort((a, b) => a - b);
  const span = (values: readonly number[]) =>
    values.length > 2 ? `${values[0]} to ${values[values.length - 1]}` : values.join(" and ");
  const isKohya = pairs.some(({ layer }) => layer.startsWith("lora_"));
  return {
    what: `a LoRA of ${pairs.length} layers, rank ${span(ranks)}, alpha ${span(alphas)}, ${isKohya ? "kohya's" : "peft's"} keys`,
    use: `draw with \`onestep sample --model MODEL --lora ${path}\`, or put it into a model: \`onestep convert MODEL OUT --lora ${path}\``,
    rows: [],
  };
}
