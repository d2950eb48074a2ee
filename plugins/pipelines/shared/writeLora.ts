/** Writes the adapters of a generator as a LoRA file. */
import { failure } from "../../../core/errors.ts";
import { type FileEntry, type FileSystem, toFloat32 } from "../../../core/io/mod.ts";
import type { LoraFile } from "./loraFile.ts";
import { type WriteOptions, writeTensors } from "./writeModel.ts";

/** Whose keys a LoRA is written with. */
export const LORA_KEYS = ["kohya", "peft"] as const;
export type LoraKeys = (typeof LORA_KEYS)[number];

/**
 * A LoRA for the U-Net whose layers have diffusers' names: kohya's `lora_unet_conv_in.lora_down.weight` with an alpha for each layer, or
 * peft's `unet.conv_in.lora_A.weight`, which has no place for alpha: there it is in the second matrix, so that every reader's own
 * default of alpha = rank is right.
 */
export async function writeLora(
  files: FileSystem,
  out: string,
  { pairs, from }: LoraFile,
  keys: LoraKeys,
  options: WriteOptions = {},
): Promise<void> {
  const tensors: Record<string, FileEntry> = Object.create(null);
  const put = (name: string, entry: FileEntry) => {
    if (name in tensors)
      throw failure(
        "E_CHECKPOINT",
        `Cannot write the LoRA ${out}: two layers of ${from} are called ${name} in ${keys}'s keys`,
      );
    tensors[name] = entry;
  };
  for (const { layer, down, up, rank, alpha } of pairs)
    if (keys === "kohya") {
      const name = `lora_unet_${layer.replaceAll(".", "_")}`;
      put(`${name}.lora_down.weight`, down);
      put(`${name}.lora_up.weight`, up);
      put(`${name}.alpha`, { dtype: "F32", shape: [], read: async () => scalar(alpha) });
    } else {
      put(`unet.${layer}.lora_A.weight`, down);
      put(`unet.${layer}.lora_B.weight`, alpha === rank ? up : scaled(up, alpha / rank));
    }
  const [{ rank, alpha }] = pairs;
  const settings: Record<string, string> =
    keys === "kohya"
      ? { ss_network_module: "networks.lora", ss_network_dim: String(rank), ss_network_alpha: String(alpha) }
      : { lora_adapter_metadata: JSON.stringify({ "unet.r": rank, "unet.lora_alpha": rank }) };
  await writeTensors(files, out, tensors, { format: "pt", ...settings }, options);
}

const scalar = (value: number) => ({ dtype: "F32" as const, shape: [], data: Float32Array.of(value) });

const scaled = ({ shape, read }: FileEntry, factor: number): FileEntry => ({
  dtype: "F32",
  shape,
  read: async () => ({ dtype: "F32", shape, data: toFloat32(await read()).map((value) => value * factor) }),
});
