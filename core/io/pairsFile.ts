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

/** Pairs as a safetensors file: `z`, `y`, `label` where there are classes, and where they are from in the header. */
export function encodePairs({ shape, z, y, label }: Pairs, info: PairsInfo): Uint8Array {
  const tensors = {
    z: { dtype: "F32" as const, shape, data: z },
    y: { dtype: "F32" as const, shape, data: y },
    ...(label && { label: { dtype: "I32" as const, shape: [shape[0]], data: label } }),
  };
  return encodeSafetensors(tensors, { [KEY]: JSON.stringify(info) });
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
  const { z, y, label } = tensors;
  if (!z || !y) throw refuse(`it holds ${some(Object.keys(tensors)) || "nothing"}, expected z and y`);
  const count = z.shape[0] ?? 0;
  if (!sameShape(z.shape, y.shape) || count === 0)
    throw refuse(`z is ${formatShape(z.shape)} and y ${formatShape(y.shape)}, expected one shape [N, …] with N > 0`);
  if (label && (label.dtype !== "I32" || !sameShape(label.shape, [count])))
    throw refuse(`label is ${label.dtype} ${formatShape(label.shape)}, expected I32 [${count}], one for each pair`);
  const pairs = { shape: z.shape, z: toFloat32(z), y: toFloat32(y) };
  for (const name of ["z", "y"] as const)
    if (!allFinite(pairs[name])) throw refuse(`${name} holds NaN or infinity, expected finite numbers`);
  if ((label?.data as Int32Array | undefined)?.some((each) => each < 0))
    throw refuse("label holds a negative number, expected classes from 0 on");
  return { pairs: label ? { ...pairs, label: label.data as Int32Array } : pairs, info };
}

function readInfo(text: string | undefined): PairsInfo | undefined {
  let info: PairsInfo;
  try {
    info = parseJson(text ?? "null") as PairsInfo;
  } catch {
    return undefined;
  }
  return typeof info?.teacher === "string" ? info : undefined;
}
