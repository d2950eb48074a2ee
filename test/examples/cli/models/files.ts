// A tiny model of Stable Diffusion and a generator with adapters in files, as a user would have them.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../../../core/io/mod.ts";
import { baseHash } from "../../../../core/train/files/baseWeights.ts";
import { numbersOf, TINY_SD15, TINY_TEXT, TINY_VAE, tensorsOf } from "../../../plugins/pipelines/shared/models.ts";

type Stored = Record<string, StoredTensor>;

export const write = (path: string, content: string | Uint8Array): string => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

/** Weights with which activations stay of the size that they have: what is verified is not lost in overflows. */
const mild = (tensors: Stored): Stored =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => {
      const values = Float32Array.from(data as Float32Array, (value) => value / 4);
      return [name, { dtype: "F32" as const, shape, data: /norm\w*\.weight$/.test(name) ? values.fill(1) : values }];
    }),
  );

export const UNET: Stored = mild(tensorsOf(TINY_SD15));
const SETTINGS = {
  block_out_channels: [8, 16, 16, 16],
  norm_num_groups: 4,
  attention_head_dim: 2,
  cross_attention_dim: 12,
};

/** A folder in diffusers' layout. */
export function modelFolder(path: string): string {
  const json = (name: string, value: object) => write(`${path}/${name}`, JSON.stringify(value));
  json("model_index.json", { _class_name: "StableDiffusionPipeline", _diffusers_version: "0.31.0" });
  json("unet/config.json", { _class_name: "UNet2DConditionModel", layers_per_block: 2, ...SETTINGS });
  json("scheduler/scheduler_config.json", { _class_name: "PNDMScheduler", prediction_type: "epsilon" });
  write(`${path}/unet/diffusion_pytorch_model.safetensors`, encodeSafetensors(UNET));
  write(`${path}/vae/diffusion_pytorch_model.safetensors`, encodeSafetensors(tensorsOf(TINY_VAE)));
  write(`${path}/text_encoder/model.safetensors`, encodeSafetensors(tensorsOf(TINY_TEXT)));
  write(`${path}/tokenizer/merges.txt`, "a b\n");
  return path;
}

/** A generator's adapters as a run with LoRA writes them, with the weights below them in `teacher.safetensors` beside. */
export async function adaptersFile(path: string, rank: number): Promise<string> {
  const { tensors, metadata } = decodeSafetensors(readFileSync(generatorFile(path, rank)));
  const own = Object.entries(tensors).filter(([name]) => name.includes(".lora_"));
  const below = Object.entries(UNET).map(([name, { shape, data }]) => ({
    name,
    shape,
    read: () => data as Float32Array,
  }));
  const base = { file: "teacher.safetensors", prefix: "", hash: await baseHash(below) };
  write(`${dirname(path)}/teacher.safetensors`, encodeSafetensors(UNET));
  const info = JSON.stringify({ ...JSON.parse(metadata.onestep), base });
  return write(path, encodeSafetensors(Object.fromEntries(own), { onestep: info }));
}

const INFO = {
  role: "generator",
  stage: "distillation",
  data: { sample: [4, 8, 8], condition: { text: { shape: [7, 12], dtype: "f32", empty: "stored" } }, sigmaData: 1 },
  config: {
    dataset: { use: "latents" },
    network: { use: "unet2d", channels: [8, 16, 16, 16], groups: 4, heads: [2] },
    process: { use: "discrete" },
    teacher: { use: "guided", guidanceScale: 2 },
    generator: { use: "few-step", timesteps: [999, 499] },
    sampler: { use: "ddim", steps: 4 },
    method: { use: "dmd2" },
    start: { teacher: "/home/someone/secret.safetensors" },
  },
};
/** Layers of the generator that have an adapter: all that end so. */
const TARGETS = ["to_q", "to_out.0", "conv1", "downsamplers.0.conv"];

/** The weights that a run wrote of its generator. @param rank of its adapters; 0 for none */
export function generatorFile(path: string, rank: number): string {
  const lora = { rank, alpha: 2, targets: TARGETS };
  const tensors: Stored = { ...UNET };
  const layers = Object.keys(UNET).map((name) => name.replace(/\.weight$/, ""));
  for (const layer of rank > 0 ? layers.filter((each) => TARGETS.some((end) => `.${each}`.endsWith(`.${end}`))) : []) {
    const [outputs, inputs, ...kernel] = UNET[`${layer}.weight`].shape;
    const put = (name: string, ...shape: number[]) => {
      tensors[name] = { dtype: "F32", shape, data: numbersOf(name, shape, 1 / 512) };
    };
    put(`${layer}.lora_A.default.weight`, rank, inputs, ...kernel);
    put(`${layer}.lora_B.default.weight`, outputs, rank, ...kernel.map(() => 1));
  }
  const config = { ...INFO.config, generator: { ...INFO.config.generator, lora } };
  return write(path, encodeSafetensors(tensors, { onestep: JSON.stringify({ ...INFO, config }) }));
}
