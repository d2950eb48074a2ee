import { failure } from "../../errors.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import type { RoleName } from "../../interfaces/role.ts";
import { decodeSafetensors, encodeSafetensors, toFloat32 } from "../../io/safetensors.ts";
import type { RunConfig } from "../config/config.ts";
import type { NamedTensors } from "../update/player.ts";

/** What a weights file says about itself, so that a generator can't be sampled with the wrong settings by accident. */
export interface WeightsInfo {
  readonly role: "teacher" | "generator";
  readonly data: DataShape;
  readonly config: RunConfig;
}

const KEY = "onestep";

/** Weights by parameter name, with their manifest in the header. Those of a critic are only for `start.critic`. */
export function encodeWeights(
  tensors: NamedTensors,
  info: Omit<WeightsInfo, "role"> & { readonly role: RoleName },
): Uint8Array {
  const stored = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { dtype: "F32" as const, shape: [...shape], data },
    ]),
  );
  return encodeSafetensors(stored, { [KEY]: JSON.stringify(info) });
}

/**
 * The reverse.
 * @throws CheckpointError when the file is damaged, or its header has no manifest of ours.
 */
export function decodeWeights(
  bytes: Uint8Array,
  file: string,
): { tensors: NamedTensors; info: WeightsInfo } {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const info = readInfo(metadata?.[KEY], file);
  const named = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      { shape: tensor.shape, data: toFloat32(tensor) },
    ]),
  );
  return { tensors: named, info };
}

/** Absent, or sizes from 1 up. */
function isTextShape(text: DataShape["text"]): boolean {
  if (text === undefined) return true;
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) > 0;
  const { tokens, width, pooled, unconditional } = text ?? {};
  return (
    [tokens, width, pooled ?? 1].every(isSize) &&
    (unconditional === undefined ||
      (Array.isArray(unconditional) &&
        unconditional.every((name) => ["text", "pooled"].includes(name))))
  );
}

function readInfo(text: string | undefined, file: string): WeightsInfo {
  const refuse = (why: string) => failure("E_CHECKPOINT", `Cannot sample from ${file}: ${why}`);
  if (text === undefined)
    throw refuse("its header has no onestep manifest, expected weights that a run wrote");
  let info: WeightsInfo;
  try {
    info = JSON.parse(text);
  } catch {
    throw refuse("its manifest is not JSON");
  }
  if ((info?.role as string) === "critic")
    throw refuse("it holds the critic, should hold the teacher or the generator");
  const sound =
    ["teacher", "generator"].includes(info?.role) &&
    Array.isArray(info.data?.sample) &&
    info.data.sample.every((size) => Number.isSafeInteger(size) && size > 0) &&
    Number.isSafeInteger(info.data.classes) &&
    info.data.classes >= 0 &&
    typeof info.data.sigmaData === "number" &&
    info.data.sigmaData > 0 &&
    isTextShape(info.data.text) &&
    typeof info.config === "object" &&
    info.config !== null;
  if (!sound) throw refuse("its manifest lacks role, data or config");
  return info;
}
