/** Adds a LoRA to the weights of a model, tensor by tensor as they are read. */
import { failure } from "../../../core/errors.ts";
import type { ModelPart, ModelPartName, ModelParts } from "../../../core/interfaces/mod.ts";
import { type FileEntry, toFloat32 } from "../../../core/io/mod.ts";
import { misfit } from "../../../core/nn/mod.ts";
import { sizeOf } from "../../../core/tensor/mod.ts";
import type { LoraFile, LoraPair } from "./loraFile.ts";
import { translator } from "./renaming.ts";
import { unetRenamings } from "./unetNames.ts";

/** What LoRA files put before the layers of each part, with the layer's own dots, or with underscores for them. */
const PREFIXES: Readonly<Partial<Record<ModelPartName, { dotted: readonly string[]; flat: readonly string[] }>>> = {
  unet: { dotted: ["unet.", "base_model.model.", "diffusion_model.", ""], flat: ["lora_unet_"] },
  transformer: { dotted: ["transformer.", "base_model.model.", ""], flat: ["lora_transformer_", "lora_unet_"] },
  text_encoder: { dotted: ["text_encoder."], flat: ["lora_te_", "lora_te1_"] },
  text_encoder_2: { dotted: ["text_encoder_2."], flat: ["lora_te2_"] },
};

/** A model with a LoRA in it. */
export interface MergedModel {
  readonly model: ModelParts;
  /** Layers that were changed. */
  readonly layers: number;
  /** Layers of the LoRA in parts that the model was opened without. */
  readonly passedOver: readonly string[];
}

/**
 * A model whose weights are W + scale·(alpha/rank)·up·down, as f32, where the LoRA has a pair for them; a convolution's pair is its
 * own kernel followed by one of 1 × 1. Nothing is read or computed before a tensor is.
 * Hu et al. 2021, arXiv:2106.09685.
 * @throws E_CHECKPOINT that lists every layer that the model does not have, or has in another shape; where no layer is one of the
 * model's; and, when a tensor is read, where the sum is no finite number
 */
export function mergeLora(model: ModelParts, lora: LoraFile, scale = 1): MergedModel {
  const places = placesOf(model);
  const changes = new Map<ModelPartName, Map<string, { pair: LoraPair; base: FileEntry }>>();
  const wrong: string[] = [];
  const passedOver: string[] = [];
  for (const pair of lora.pairs) {
    const place = places.get(pair.layer);
    if (!place) {
      if (isOfMissingPart(pair.layer, model)) passedOver.push(pair.layer);
      else wrong.push(`unexpected ${pair.layer}`);
      continue;
    }
    const name = `${place.layer}.weight`;
    const base = model.parts[place.part]!.tensors[name];
    if (!fits(pair, base.shape))
      wrong.push(
        `${pair.layer} is [${pair.up.shape.join(", ")}] × [${pair.down.shape.join(", ")}], the model has [${base.shape.join(", ")}]`,
      );
    const own = changes.get(place.part) ?? new Map();
    changes.set(place.part, own.set(name, { pair, base }));
  }
  if (wrong.length > 0)
    throw misfit(`Cannot add ${lora.from} to ${model.path}`, wrong, "use it with the model that it was trained for");
  if (changes.size === 0)
    throw failure(
      "E_CHECKPOINT",
      `Cannot add ${lora.from} to ${model.path}: all its ${passedOver.length} layers are of parts that the model does not have, such as ${passedOver[0]}`,
      { fix: "use it with the model that it was trained for" },
    );
  const parts: Partial<Record<ModelPartName, ModelPart>> = { ...model.parts };
  for (const [name, own] of changes) {
    const part = model.parts[name]!;
    const tensors: Record<string, FileEntry> = Object.assign(Object.create(null), part.tensors);
    for (const [tensor, { pair, base }] of own) tensors[tensor] = merged(base, pair, scale, lora.from);
    parts[name] = { ...part, tensors };
  }
  const layers = [...changes.values()].reduce((sum, { size }) => sum + size, 0);
  return { model: { ...model, parts }, layers, passedOver };
}

interface Place {
  readonly part: ModelPartName;
  readonly layer: string;
}

/** Layers of a model by every name that a LoRA may have for them. */
function placesOf({ parts }: ModelParts): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [part, { dotted, flat }] of Object.entries(PREFIXES) as [
    ModelPartName,
    (typeof PREFIXES)["unet"] & {},
  ][]) {
    const names = Object.keys(parts[part]?.tensors ?? {}).filter((name) => name.endsWith(".weight"));
    const original = part === "unet" ? translator(unetRenamings(names), "original") : () => undefined;
    for (const name of names) {
      const layer = name.slice(0, -".weight".length);
      const place = { part, layer };
      const others = original(name)?.slice(0, -".weight".length);
      for (const each of others === undefined ? [layer] : [layer, others]) {
        for (const prefix of dotted) places.set(prefix + each, place);
        for (const prefix of flat) places.set(prefix + each.replaceAll(".", "_"), place);
      }
    }
  }
  return places;
}

function isOfMissingPart(layer: string, { parts }: ModelParts): boolean {
  const starts = Object.entries(PREFIXES).flatMap(([part, { dotted, flat }]) =>
    [...dotted, ...flat].filter((prefix) => prefix !== "" && layer.startsWith(prefix)).map(() => part),
  );
  return starts.length > 0 && starts.every((part) => !parts[part as ModelPartName]);
}

function fits({ down, up, rank }: LoraPair, shape: readonly number[]): boolean {
  const [outputs, inputs, ...kernel] = shape;
  // Linear matrices beside a convolution of 1 × 1, and the reverse, are the same numbers.
  const pads = (given: readonly number[]) => [...given.slice(2), 1, 1].slice(0, 2).join();
  return (
    shape.length >= 2 &&
    up.shape[0] === outputs &&
    down.shape[1] === inputs &&
    pads(down.shape) === pads([0, 0, ...kernel]) &&
    sizeOf(down.shape) === rank * sizeOf(shape.slice(1))
  );
}

function merged(base: FileEntry, { layer, down, up, rank, alpha }: LoraPair, scale: number, from: string): FileEntry {
  const { shape } = base;
  return {
    dtype: "F32",
    shape,
    async read() {
      const data = toFloat32(await base.read()).slice();
      const factors = toFloat32(await up.read()).map((value) => value * ((scale * alpha) / rank));
      const wasFinite = data.every(Number.isFinite);
      addProduct(data, factors, toFloat32(await down.read()), rank);
      // What the model's own weights hold is told where they are loaded.
      if (wasFinite && !data.every(Number.isFinite))
        throw failure(
          "E_CHECKPOINT",
          `Cannot add ${from}: with it at scale ${scale} the weights of ${layer} are NaN or infinite, should be finite`,
          { fix: "give a smaller scale, or download the LoRA again" },
        );
      return { dtype: "F32", shape, data };
    },
  };
}

/** Columns at once: the rows of `down` that are gone through for each output stay in the cache. */
const COLUMNS = 1024;

/** out [M, N] += up [M, K] · down [K, N], four terms of a sum at a time. */
function addProduct(out: Float32Array, up: Float32Array, down: Float32Array, K: number): void {
  const N = down.length / K;
  const M = out.length / N;
  for (let first = 0; first < N; first += COLUMNS) {
    const count = Math.min(COLUMNS, N - first);
    for (let m = 0; m < M; m++) {
      const to = m * N + first;
      let k = 0;
      for (; k + 4 <= K; k += 4) {
        const [a, b, c, d] = [up[m * K + k], up[m * K + k + 1], up[m * K + k + 2], up[m * K + k + 3]];
        const from = k * N + first;
        for (let n = 0; n < count; n++)
          out[to + n] +=
            a * down[from + n] + b * down[from + N + n] + c * down[from + 2 * N + n] + d * down[from + 3 * N + n];
      }
      for (; k < K; k++) {
        const a = up[m * K + k];
        for (let n = 0, from = k * N + first; n < count; n++) out[to + n] += a * down[from + n];
      }
    }
  }
}
