/** Names of the tensors of a LoRA, as kohya, peft and diffusers write them. */

/** What a tensor of a LoRA is to the layer that it changes: W + scale·(alpha/rank)·up·down. */
export interface LoraName {
  /** The layer, in the names of whoever wrote it: `lora_unet_conv_in`, `unet.conv_in`, `base_model.model.conv_in`. */
  readonly layer: string;
  readonly slot: "down" | "up" | "alpha";
}

/** Whether a tensor, by its name, is part of a LoRA, or of something of its kind. */
export const isLoraName = (name: string): boolean => loraName(name) !== undefined || otherKind(name) !== undefined;

const SLOTS: Readonly<Record<string, "down" | "up">> = { down: "down", up: "up", A: "down", B: "up" };

/** What a name says; undefined for one that is no part of a LoRA. */
export function loraName(name: string): LoraName | undefined {
  // kohya: x.lora_down.weight; peft: x.lora_A.weight, x.lora_A.default.weight; diffusers: x.lora.down.weight
  const usual = /^(.+)\.lora[_.](down|up|A|B)(?:\.\w+)?\.weight$/.exec(name);
  if (usual) return { layer: usual[1], slot: SLOTS[usual[2]] };
  // diffusers before peft: x.attn1.processor.to_out_lora.up.weight
  const old = /^(.+)\.(to_q|to_k|to_v|to_out)_lora\.(down|up)\.weight$/.exec(name);
  if (old) {
    const attention = old[1].replace(/\.processor$/, "");
    return { layer: `${attention}.${old[2] === "to_out" ? "to_out.0" : old[2]}`, slot: SLOTS[old[3]] };
  }
  const alpha = /^(.+)\.alpha$/.exec(name);
  return alpha ? { layer: alpha[1], slot: "alpha" } : undefined;
}

/** Changes of other kinds than a product of two matrices, by a part of their names. */
const OTHERS: readonly (readonly [pattern: RegExp, kind: string])[] = [
  [/\.hada_w\d/, "a LoHa"],
  [/\.lokr_w\d/, "a LoKr"],
  [/\.(dora_scale|lora_magnitude_vector)\b/, "a DoRA"],
  [/\.(lora_mid|lora_t\d)\b/, "a LoRA in Tucker's form"],
  [/\.lora_embedding_[AB]\b/, "a LoRA of embeddings"],
  [/\.(lora_[AB](\.\w+)?\.bias|lora_bias)$/, "a LoRA with biases"],
  [/^lora_.*\.(diff|diff_b|set_weight)$/, "a difference of whole weights"],
];

/** The kind of change that a name belongs to, which is not read. */
export const otherKind = (name: string): string | undefined => OTHERS.find(([pattern]) => pattern.test(name))?.[1];
