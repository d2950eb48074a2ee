// Models as people hold them: one file with all parts, a network alone, a folder, a LoRA.

import type { ModelParts } from "../../../../core/interfaces/mod.ts";
import { openLora } from "../../../../plugins/pipelines/shared/loraFile.ts";
import { mergeLora } from "../../../../plugins/pipelines/shared/mergeLora.ts";
import { openModelParts } from "../../../../plugins/pipelines/shared/modelParts.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import type { Draw } from "../draw.ts";
import { expect, sizeOf } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { safetensorsBytes, type WantedTensor } from "../safetensorsBytes.ts";

/** Names of networks, with the shapes that their tensors have; each file gets some of them. */
const UNET: Readonly<Record<string, readonly number[]>> = {
  "conv_in.weight": [2, 1, 3, 3],
  "conv_out.weight": [1, 2, 3, 3],
  "down_blocks.0.resnets.0.conv1.weight": [2, 2, 3, 3],
  "down_blocks.0.resnets.0.norm1.weight": [2],
  "down_blocks.0.attentions.0.norm.weight": [2],
  "down_blocks.0.attentions.0.proj_in.weight": [2, 2],
  "down_blocks.0.attentions.0.transformer_blocks.0.norm1.weight": [2],
  "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": [2, 3],
  "down_blocks.0.downsamplers.0.conv.weight": [2, 2, 3, 3],
  "up_blocks.0.resnets.0.norm1.weight": [2],
  "add_embedding.linear_1.weight": [2, 20],
  "time_embedding.cond_proj.weight": [2, 2],
};
const ORIGINAL_UNET: Readonly<Record<string, readonly number[]>> = {
  "input_blocks.0.0.weight": [2, 1, 3, 3],
  "input_blocks.1.0.in_layers.0.weight": [2],
  "input_blocks.1.0.in_layers.2.weight": [2, 2, 3, 3],
  "input_blocks.1.1.norm.weight": [2],
  "input_blocks.2.0.op.weight": [2, 2, 3, 3],
  "output_blocks.0.0.in_layers.0.weight": [2],
  "output_blocks.0.1.conv.weight": [2, 2, 3, 3],
  "out.2.weight": [1, 2, 3, 3],
};
const VAE: Readonly<Record<string, readonly number[]>> = {
  "encoder.down_blocks.0.resnets.0.conv1.weight": [2, 2, 3, 3],
  "encoder.mid_block.attentions.0.query.weight": [2, 2, 1, 1],
  "encoder.conv_in.weight": [2, 3, 3, 3],
  "decoder.conv_out.weight": [3, 2, 3, 3],
  "decoder.layers.0.weight": [2, 1, 3, 3],
};
const ORIGINAL_VAE: Readonly<Record<string, readonly number[]>> = {
  "encoder.down.0.block.0.conv1.weight": [2, 2, 3, 3],
  "encoder.mid.attn_1.q.weight": [2, 2, 1, 1],
  "decoder.up.999999999.block.0.norm1.weight": [2],
  "decoder.conv_out.weight": [3, 2, 3, 3],
};
const TEXT: Readonly<Record<string, readonly number[]>> = {
  "text_model.embeddings.token_embedding.weight": [5, 2],
  "text_model.embeddings.position_embedding.weight": [3, 2],
  "text_model.encoder.layers.0.mlp.fc1.weight": [4, 2],
  "text_projection.weight": [2, 2],
};
const OPEN_CLIP: Readonly<Record<string, readonly number[]>> = {
  "token_embedding.weight": [5, 2],
  "ln_final.weight": [2],
  positional_embedding: [3, 2],
  text_projection: [2, 3],
  "transformer.resblocks.0.attn.in_proj_weight": [6, 2],
  "transformer.resblocks.0.mlp.c_fc.weight": [4, 2],
};

const named = (draw: Draw, names: Readonly<Record<string, readonly number[]>>, prefix = ""): WantedTensor[] =>
  Object.entries(names).flatMap(([name, shape]) => {
    if (draw.chance(0.1)) return [];
    const odd = draw.chance(0.05) ? draw.list(4, () => draw.below(4)) : shape;
    return [{ name: prefix + name, dtype: draw.pick(["F32", "F16", "F8_E4M3"] as const), shape: odd }];
  });

/** One of the forms that files have. */
function tensors(draw: Draw): WantedTensor[] {
  const wrapper = draw.pick(["", "", "module.", "unet.", "real_unet."]);
  const whole = () => [
    ...named(draw, ORIGINAL_UNET, "model.diffusion_model."),
    ...named(draw, ORIGINAL_VAE, "first_stage_model."),
    ...named(draw, TEXT, draw.pick(["cond_stage_model.transformer.", "conditioner.embedders.0.transformer."])),
    ...named(draw, OPEN_CLIP, draw.pick(["conditioner.embedders.1.model.", "cond_stage_model.model."])),
  ];
  return draw.pick([
    () => named(draw, UNET, wrapper),
    () => named(draw, ORIGINAL_UNET, wrapper),
    () => named(draw, draw.pick([VAE, ORIGINAL_VAE, TEXT, OPEN_CLIP])),
    whole,
  ])();
}

/** Every tensor has the numbers that its shape says. */
async function checkModel({ parts }: ModelParts): Promise<void> {
  for (const part of Object.values(parts)) {
    for (const [name, entry] of Object.entries(part.tensors)) {
      const { shape, dtype, data } = await entry.read();
      expect(dtype === entry.dtype && shape.join() === entry.shape.join(), `${name} is not what it was said to be`);
      expect(data.length === shape.reduce((a, b) => a * b, 1), `${name} has ${data.length} numbers for [${shape}]`);
    }
    JSON.stringify(part.config);
  }
}

const METADATA = {
  onestep_network: '{"use":"adm","options":{"channels":8},"sample":[3,8,8],"classes":0,"sigmaData":0.5}',
  onestep_sampler:
    '{"role":"generator","data":{"sample":[1,2,2],"condition":{},"sigmaData":1},"config":{"generator":{"use":"few-step","timesteps":[9]}}}',
};
const metadataOf = (draw: Draw): Record<string, string> =>
  Object.fromEntries(
    Object.entries(METADATA)
      .filter(() => draw.chance(0.15))
      .map(([name, text]) => [name, draw.chance(0.7) ? text : draw.json(3)]),
  );

const single: FuzzedParser = {
  name: "model in a file",
  factor: 6,
  make(draw) {
    const bytes = safetensorsBytes(draw, tensors(draw), { metadata: metadataOf(draw) });
    const files = memoryFiles({ "m.safetensors": bytes });
    const run = async () => checkModel(await openModelParts(files, "m.safetensors"));
    return { size: bytes.length, run };
  },
};

/** A folder with a U-Net in shards, and settings. */
function folder(draw: Draw): Record<string, Uint8Array | string> {
  const all = named(draw, UNET);
  const half = all.length >> 1;
  const shards = [
    "diffusion_pytorch_model-00001-of-00002.safetensors",
    "diffusion_pytorch_model-00002-of-00002.safetensors",
  ];
  const map = Object.fromEntries(
    all.map(({ name }, i) => [name, JSON.stringify(draw.text([shards[i < half ? 0 : 1]], 0.02))]),
  );
  const keep = draw.pick([1, 0.95]);
  const index = draw.object({ metadata: "{}", weight_map: draw.object(map, keep) }, keep);
  const contents: Record<string, Uint8Array | string> = {
    "m/model_index.json": draw.object({ _class_name: '"StableDiffusionPipeline"' }),
    "m/unet/config.json": draw.chance(0.8) ? draw.object({ cross_attention_dim: "3" }) : draw.json(3),
    "m/unet/diffusion_pytorch_model.safetensors.index.json": index,
    [`m/unet/${shards[0]}`]: safetensorsBytes(draw, all.slice(0, half), { soundness: 0.9 }),
  };
  if (draw.chance(0.9)) contents[`m/unet/${shards[1]}`] = safetensorsBytes(draw, all.slice(half), { soundness: 0.9 });
  if (draw.chance(0.3))
    contents["m/vae/diffusion_pytorch_model.safetensors"] = safetensorsBytes(draw, named(draw, VAE));
  if (draw.chance(0.3)) contents["m/onestep_sampler.json"] = draw.chance(0.5) ? METADATA.onestep_sampler : draw.json(4);
  return contents;
}

const shards: FuzzedParser = {
  name: "model in a folder",
  factor: 6,
  make(draw) {
    const files = memoryFiles(folder(draw));
    const contents = Object.fromEntries(files.contents);
    return { size: sizeOf(contents), run: async () => checkModel(await openModelParts(files, "m")) };
  },
};

const base: ModelParts = {
  path: "base",
  layout: "network",
  architecture: "sd15",
  parts: {
    unet: {
      from: "base",
      tensors: Object.fromEntries(
        Object.entries(UNET).map(([name, shape]) => {
          const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
          return [name, { dtype: "F32" as const, shape, read: async () => ({ dtype: "F32" as const, shape, data }) }];
        }),
      ),
    },
  },
};

/** Pairs for layers of the base, in keys of somebody. */
function pairs(draw: Draw): WantedTensor[] {
  const [flat, down, up] = draw.pick([
    [true, "lora_down", "lora_up"],
    [false, "lora_A", "lora_B"],
    [false, "lora.down", "lora.up"],
  ] as const);
  return Object.entries(UNET).flatMap(([name, [outputs, inputs, ...kernel]]): WantedTensor[] => {
    if (inputs === undefined || draw.chance(0.5)) return [];
    const layer = name.replace(/\.weight$/, "");
    const key = flat ? `lora_unet_${layer.replaceAll(".", "_")}` : `unet.${layer}`;
    const rank = draw.chance(0.95) ? 2 : draw.below(3);
    const entry = (slot: string, ...shape: number[]): WantedTensor => ({ name: `${key}.${slot}`, dtype: "F32", shape });
    return [
      entry(`${down}.weight`, 2, inputs, ...kernel),
      entry(`${up}.weight`, outputs, rank, ...kernel.map(() => 1)),
      ...(draw.chance(0.3) ? [entry("alpha")] : []),
      ...(draw.chance(0.02) ? [entry("dora_scale", 1)] : []),
    ];
  });
}

async function checkLora(files: MemoryFiles): Promise<void> {
  const { model, layers } = mergeLora(base, await openLora(files, "l.safetensors"), 0.5);
  expect(layers > 0, "a LoRA of no layers was taken");
  await checkModel(model);
}

const lora: FuzzedParser = {
  name: "LoRA",
  factor: 6,
  make(draw) {
    const metadata = draw.chance(0.2) ? { lora_adapter_metadata: draw.json(3) } : undefined;
    const bytes = safetensorsBytes(draw, pairs(draw), { metadata });
    const files = memoryFiles({ "l.safetensors": bytes });
    if (draw.chance(0.3))
      files.contents.set("adapter_config.json", new TextEncoder().encode(draw.object({ lora_alpha: "4", r: "2" })));
    return { size: sizeOf(Object.fromEntries(files.contents)), run: () => checkLora(files) };
  },
};

export const modelParsers: readonly FuzzedParser[] = [single, shards, lora];
