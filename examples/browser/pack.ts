import { gzipSync } from "node:zlib";
import { decodeSafetensors, encodeSafetensors, float32ToFloat16, parseWeightsInfo, toFloat32 } from "../../core/mod.ts";

/** Bits of a weight's mantissa that are kept, of the ten of an f16. */
export const KEPT_BITS = 5;

/**
 * Weights of a run, small enough for a page: f16 with fewer bits of mantissa, which gzip then packs. Any reader of safetensors reads
 * what is unpacked. The manifest stays, without the paths of the machine that trained them.
 * @param bytes a safetensors file that a run wrote
 */
export function packWeights(bytes: Uint8Array, file: string, kept: number = KEPT_BITS): Uint8Array {
  const { tensors, metadata } = decodeSafetensors(bytes, file);
  const { config, ...info } = parseWeightsInfo(metadata.onestep, file);
  const { start: _, ...rest } = config;
  const halves = Object.entries(tensors).map(([name, tensor]) => [
    name,
    {
      dtype: "F16" as const,
      shape: tensor.shape,
      data: float32ToFloat16(toFloat32(tensor).map((x) => rounded(x, kept))),
    },
  ]);
  const packed = encodeSafetensors(Object.fromEntries(halves), { onestep: JSON.stringify({ ...info, config: rest }) });
  return gzipSync(packed, { level: 9 });
}

const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);

/** The nearest number with so many bits of mantissa; halves go to the even one. */
function rounded(x: number, kept: number): number {
  real[0] = x;
  const cut = 23 - kept;
  word[0] += 2 ** (cut - 1) - 1 + ((word[0] >>> cut) & 1);
  word[0] = (word[0] >>> cut) << cut;
  return real[0];
}
