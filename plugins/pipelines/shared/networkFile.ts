/** A file with the weights of one network, under whatever wrapper they were saved. */
import { failure } from "../../../core/errors.ts";
import type { ModelPart, ModelPartName } from "../../../core/interfaces/mod.ts";
import type { FileEntry } from "../../../core/io/mod.ts";
import { isLoraName } from "./loraNames.ts";
import { originalUnet, originalVae, underPrefix } from "./singleFile.ts";
import { fromOpenClip, modernText } from "./textNames.ts";
import { modernVae } from "./vaeNames.ts";

type Tensors = Readonly<Record<string, FileEntry>>;

/** Wrappers of training code: of parallel training, of Lightning, of an exporter. */
const WRAPPERS = ["module.", "_orig_mod.", "unet.", "diffusion_model.", "model.diffusion_model."];

/** A network by a name that each of its kind has, and how it comes under diffusers' names. */
const KINDS: readonly {
  readonly part: ModelPartName;
  readonly has: readonly string[];
  readonly read: (tensors: Tensors, from: string) => Record<string, FileEntry>;
}[] = [
  { part: "unet", has: ["conv_in.weight", "down_blocks.0.resnets.0.conv1.weight"], read: same },
  { part: "unet", has: ["input_blocks.0.0.weight", "out.2.weight"], read: originalUnet },
  { part: "unet", has: ["model.map_layer0.weight"], read: same },
  { part: "unet", has: ["map_layer0.weight"], read: (tensors) => wrapped(tensors, "model.") },
  { part: "vae", has: ["encoder.down_blocks.0.resnets.0.conv1.weight"], read: modernVae },
  { part: "vae", has: ["encoder.down.0.block.0.conv1.weight"], read: originalVae },
  { part: "vae", has: ["decoder.layers.0.weight"], read: same },
  { part: "text_encoder", has: ["text_model.embeddings.token_embedding.weight"], read: modernText },
  { part: "text_encoder", has: ["embeddings.token_embedding.weight"], read: modernText },
  { part: "text_encoder", has: ["token_embedding.weight", "ln_final.weight"], read: (all) => fromOpenClip(all) },
  { part: "transformer", has: ["x_embedder.proj.weight"], read: same },
  { part: "transformer", has: ["x_embedder.weight"], read: same },
  { part: "transformer", has: ["pos_embed.proj.weight"], read: same },
];

/** Networks of DMD2's guidance file, `pytorch_model_1.bin`. */
export const GUIDANCE = ["real_unet", "fake_unet"] as const;

/**
 * The network of a file, by diffusers' names.
 * @param guidance which network of DMD2's guidance file is meant: the teacher without it
 * @throws E_CHECKPOINT where it is none that is known
 */
export function networkAlone(
  tensors: Tensors,
  from: string,
  guidance?: (typeof GUIDANCE)[number],
): { part: ModelPartName; network: ModelPart } {
  const role = guidance ?? GUIDANCE.find((each) => Object.keys(tensors).some((name) => name.startsWith(`${each}.`)));
  const own = role === undefined ? tensors : underPrefix(tensors, `${role}.`);
  for (const candidate of [own, ...WRAPPERS.map((wrapper) => underPrefix(own, wrapper))])
    for (const { part, has, read } of KINDS)
      if (has.every((name) => Object.hasOwn(candidate, name)))
        return { part, network: { from, tensors: read(candidate, from) } };
  const names = Object.keys(tensors);
  const refuse = (why: string, fix: string) =>
    failure("E_CHECKPOINT", `Cannot open the model ${from}: ${why}`, { fix });
  if (names.some(isLoraName))
    throw refuse("it is a LoRA, a change to a model", "give the model that it changes, and this file with --lora");
  throw refuse(
    `its ${names.length} tensors have names of no network that is known: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`,
    "give weights of Stable Diffusion 1.x, 2.x, SDXL or EDM, or a folder in diffusers' layout",
  );
}

function same(tensors: Tensors): Record<string, FileEntry> {
  return { ...tensors };
}

function wrapped(tensors: Tensors, prefix: string): Record<string, FileEntry> {
  return Object.fromEntries(Object.entries(tensors).map(([name, entry]) => [prefix + name, entry]));
}
