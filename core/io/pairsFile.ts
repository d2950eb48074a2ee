import { failure, some } from "../errors.ts";
import { parseJson } from "../json/parseJson.ts";
import { allFinite } from "../tensor/allFinite.ts";
import { formatShape, type Shape, sameShape } from "../tensor/shape.ts";
import { decodeSafetensors, encodeSafetensors, toFloat32 } from "./safetensors.ts";

/** Noise, and the samples that the teacher's sampler makes of it. */
export interface Pairs {
  /** [N, …] of `z` and `y`. */
  readonly shape: Shape;
  /** ε ~ N(0, I); the sampler starts from it times its start scale. */
  readonly z: Float32Array;
  readonly y: Float32Array;
  /** [N]; absent for unconditional data. */
  readonly label?: Int32Array;
  /** States on the way from noise to sample, where they were kept. */
  readonly path?: PairsPath;
}

/** States x0 + σ·ε of the sampler on its way from z to y. */
export interface PairsPath {
  /** Their noise levels σ, decreasing. */
  readonly levels: readonly number[];
  /** [N, levels, …] */
  readonly states: Float32Array;
}

/** What a file of pairs says about itself. */
export interface PairsInfo {
  /** Fingerprint of the teacher that drew them. */
  readonly teacher: string;
  readonly sampler: { readonly use: string } & Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** Denoiser calls per pair. */
  readonly nfe: number;
}

const KEY = "onestep-pairs";

/**
 * Pairs as a safetensors file: `z`, `y`, `label` where there are classes, `path` [N, levels, …] where states were kept, and where
 * they are from in the header, with the levels of the path.
 */
export function encodePairs({ shape, z, y, label, path }: Pairs, info: PairsInfo): Uint8Array {
  const [count, ...sample] = shape;
  const tensors = {
    z: { dtype: "F32" as const, shape, data: z },
    y: { dtype: "F32" as const, shape, data: y },
    ...(label && { label: { dtype: "I32" as const, shape: [count], data: label } }),
    ...(path && { path: { dtype: "F32" as const, shape: [count, path.levels.length, ...sample], data: path.states } }),
  };
  return encodeSafetensors(tensors, { [KEY]: JSON.stringify({ ...info, ...(path && { levels: path.levels }) }) });
}

/**
 * The reverse.
 * @throws CheckpointError: E_CHECKPOINT when the file is damaged, E_PAIRS when it is sound but holds something else
 */
export function decodePairs(bytes: Uint8Array, file: string): { pairs: Pairs; info: PairsInfo } {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const refuse = (why: string) => failure("E_PAIRS", `Cannot read pairs from ${file}: ${why}`);
  const info = readInfo(metadata[KEY]);
  if (!info) throw refuse("its header has no manifest of pairs, expected a file of `onestep pairs`");
  const { z, y, label, path } = tensors;
  if (!z || !y) throw refuse(`it holds ${some(Object.keys(tensors)) || "nothing"}, expected z and y`);
  const count = z.shape[0] ?? 0;
  if (!sameShape(z.shape, y.shape) || count === 0)
    throw refuse(`z is ${formatShape(z.shape)} and y ${formatShape(y.shape)}, expected one shape [N, …] with N > 0`);
  if (label && (label.dtype !== "I32" || !sameShape(label.shape, [count])))
    throw refuse(`label is ${label.dtype} ${formatShape(label.shape)}, expected I32 [${count}], one for each pair`);
  const { levels = [] } = info;
  const whole = [count, levels.length, ...z.shape.slice(1)];
  if (path && (levels.length === 0 || !sameShape(path.shape, whole)))
    throw refuse(`path is ${formatShape(path.shape)}, expected ${formatShape(whole)}, a state for each of its levels`);
  const states = path && { levels, states: toFloat32(path) };
  const pairs = { shape: z.shape, z: toFloat32(z), y: toFloat32(y), ...(states && { path: states }) };
  for (const [name, values] of Object.entries({ z: pairs.z, y: pairs.y, path: states?.states }))
    if (values && !allFinite(values)) throw refuse(`${name} holds NaN or infinity, expected finite numbers`);
  if ((label?.data as Int32Array | undefined)?.some((each) => each < 0))
    throw refuse("label holds a negative number, expected classes from 0 on");
  return { pairs: label ? { ...pairs, label: label.data as Int32Array } : pairs, info };
}

type StoredInfo = PairsInfo & { readonly levels?: readonly number[] };

function readInfo(text: string | undefined): StoredInfo | undefined {
  let info: StoredInfo;
  try {
    info = parseJson(text ?? "null") as StoredInfo;
  } catch {
    return undefined;
  }
  const levels = info?.levels ?? [];
  const sound = Array.isArray(levels) && levels.every((level) => Number.isFinite(level) && level > 0);
  return typeof info?.teacher === "string" && sound ? info : undefined;
}
