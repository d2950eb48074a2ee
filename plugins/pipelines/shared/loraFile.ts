/** Opens LoRA files: pairs of matrices beside the layers of a model. */
import { failure } from "../../../core/errors.ts";
import {
  type FileEntry,
  type FileSystem,
  openSafetensors,
  openTensors,
  readJsonObject,
  toFloat32,
} from "../../../core/io/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { loraName, otherKind } from "./loraNames.ts";

/** What a LoRA adds to one layer. */
export interface LoraPair {
  /** The layer, in the file's own names. */
  readonly layer: string;
  /** [rank, inputs], or [rank, inputs, k, k] beside a convolution. */
  readonly down: FileEntry;
  /** [outputs, rank], or [outputs, rank, 1, 1]. */
  readonly up: FileEntry;
  readonly rank: number;
  /** It counts alpha/rank times. */
  readonly alpha: number;
}

export interface LoraFile {
  readonly from: string;
  readonly pairs: readonly LoraPair[];
}

/**
 * The pairs of a file that kohya's scripts, peft, diffusers or a run of onestep wrote. Alphas are those of the file, else of
 * `adapter_config.json` beside it, else the ranks, as is usual.
 * @throws E_CHECKPOINT where it is no LoRA, lacks one of two matrices, or is another kind of change; E_FILE, E_DATA
 */
export async function openLora(files: FileSystem, path: string): Promise<LoraFile> {
  const tensors = await openTensors(files, path);
  return { from: path, pairs: await loraPairs(tensors, path, await alphaOf(files, path)) };
}

/** The alpha of layers that have none of their own. */
type CommonAlpha = (layer: string, rank: number) => number;

/** The pairs among tensors by name; others are passed over. @throws E_CHECKPOINT as `openLora` does */
export async function loraPairs(
  tensors: Readonly<Record<string, FileEntry>>,
  path: string,
  common: CommonAlpha,
): Promise<LoraPair[]> {
  const refuse = (why: string) =>
    failure("E_CHECKPOINT", `Cannot open the LoRA ${path}: ${why}`, {
      fix: "give a LoRA with two matrices per layer, in the keys of kohya, peft or diffusers",
    });
  const layers = new Map<string, Partial<Record<"down" | "up" | "alpha", FileEntry>>>();
  for (const [name, entry] of Object.entries(tensors)) {
    const other = otherKind(name);
    if (other) throw refuse(`it is ${other} (${name})`);
    const known = loraName(name);
    if (!known) continue;
    const layer = layers.get(known.layer) ?? {};
    if (layer[known.slot]) throw refuse(`it has two matrices "${known.slot}" for ${known.layer}`);
    layer[known.slot] = entry;
    layers.set(known.layer, layer);
  }
  const pairs: LoraPair[] = [];
  for (const [layer, { down, up, alpha }] of layers) {
    // What is called alpha may be something else, if there is nothing else of its layer.
    if (!down && !up) continue;
    if (!down || !up) throw refuse(`${layer} has no matrix "${down ? "up" : "down"}"`);
    const [rank] = down.shape;
    const isPair = down.shape.length >= 2 && up.shape.length >= 2 && up.shape[1] === rank && rank > 0;
    if (!isPair || up.shape.slice(2).some((size) => size !== 1))
      throw refuse(
        `${layer} has matrices [${down.shape.join(", ")}] and [${up.shape.join(", ")}], should have [rank, inputs] and [outputs, rank]`,
      );
    const given = alpha ? toFloat32(await alpha.read())[0] : common(layer, rank);
    if (!Number.isFinite(given)) throw refuse(`the alpha of ${layer} is ${given}, should be a number`);
    pairs.push({ layer, down, up, rank, alpha: given });
  }
  if (pairs.length === 0) throw refuse("none of its tensors has a name of a LoRA");
  return pairs;
}

/** Where else a LoRA says its alpha. @throws E_CHECKPOINT */
async function alphaOf(files: FileSystem, path: string): Promise<CommonAlpha> {
  const unsaid = (_: string, rank: number) => rank;
  const beside = path.replace(/[^/\\]*$/, "adapter_config.json");
  if (await files.exists(beside)) {
    const config = await readJsonObject(files, beside);
    const { lora_alpha: alpha, alpha_pattern: pattern, use_rslora: isStabilised } = config;
    if (typeof pattern === "object" && pattern !== null && Object.keys(pattern).length > 0)
      throw failure("E_CHECKPOINT", `Cannot read ${beside}: it has an alpha_pattern, which is not read`);
    // "Rank-stabilised": α/√r in place of α/r.
    if (typeof alpha === "number") return (_, rank) => (isStabilised === true ? alpha * Math.sqrt(rank) : alpha);
  }
  if (!path.endsWith(".safetensors")) return unsaid;
  const { metadata } = await openSafetensors(files, path);
  const json = (key: string): Record<string, unknown> => {
    try {
      return (parseJson(metadata[key] ?? "{}") ?? {}) as Record<string, unknown>;
    } catch {
      return {};
    }
  };
  // A run of onestep keeps alpha in its config, newer versions of diffusers in settings by part.
  const config = (json("onestep").config ?? {}) as { generator?: { lora?: { alpha?: unknown } } };
  const own = config.generator?.lora?.alpha;
  if (typeof own === "number") return () => own;
  if (metadata.onestep !== undefined) return () => RUN_ALPHA;
  const settings = json("lora_adapter_metadata");
  return (layer, rank) => {
    const alpha = settings[`${layer.split(".")[0]}.lora_alpha`];
    return typeof alpha === "number" ? alpha : rank;
  };
}

/** The default of the option `generator.lora.alpha`. */
const RUN_ALPHA = 8;
