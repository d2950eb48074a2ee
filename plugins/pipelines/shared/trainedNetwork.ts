/** Weights that a run of onestep wrote, with its adapters apart. */
import type { ModelPart, SamplerManifest } from "../../../core/interfaces/mod.ts";
import type { FileEntry, OpenSafetensors } from "../../../core/io/mod.ts";
import { parseWeightsInfo, type WeightsInfo } from "../../../core/train/mod.ts";
import { type LoraPair, loraPairs } from "./loraFile.ts";
import { isLoraName } from "./loraNames.ts";
import { manifestOf } from "./samplerManifest.ts";

/** Key of what weights of a run say of themselves, in the metadata of their file. */
const RUN_KEY = "onestep";
/** The default of the option `generator.lora.alpha`. */
const ALPHA = 8;

/** The network of a run. */
export interface TrainedNetwork {
  readonly info: WeightsInfo;
  readonly sampler: SamplerManifest;
  /** Without its adapters; none where only those were written. */
  readonly tensors: ModelPart["tensors"];
  /** Its adapters, which are not yet in the weights. */
  readonly pairs: readonly LoraPair[];
}

/** What a file holds that a run wrote; undefined for one of others. @throws E_CHECKPOINT where what it says of itself is damaged */
export async function trainedNetwork(
  { tensors, metadata }: OpenSafetensors,
  from: string,
): Promise<TrainedNetwork | undefined> {
  if (!(RUN_KEY in metadata)) return undefined;
  const info = parseWeightsInfo(metadata[RUN_KEY], from);
  const own: Record<string, FileEntry> = Object.create(null);
  const adapters: Record<string, FileEntry> = Object.create(null);
  for (const [name, entry] of Object.entries(tensors)) (isLoraName(name) ? adapters : own)[name] = entry;
  const { alpha } = (info.config.generator?.lora ?? {}) as { alpha?: unknown };
  const pairs =
    Object.keys(adapters).length > 0
      ? await loraPairs(adapters, from, () => (typeof alpha === "number" ? alpha : ALPHA))
      : [];
  return { info, sampler: manifestOf(info), tensors: own, pairs };
}
