/** Elements of states that are kept in two bytes, between host and device. */
import type { StateArray } from "../interfaces/backend.ts";
import type { Storage } from "../tensor/storage.ts";
import { bfloat16ToFloat32, float16ToFloat32, float32ToBfloat16, float32ToFloat16 } from "./halfFloat.ts";

/** Elements as a device holds them that keeps `storage`: bit patterns where it is one of two bytes. */
export function asBits(data: StateArray, storage: Storage): StateArray {
  if (storage === "f32" || data instanceof Uint16Array) return data;
  return storage === "f16" ? float32ToFloat16(data) : float32ToBfloat16(data);
}

/** The numbers that elements of a storage are. */
export function asNumbers(data: StateArray, storage: Storage): Exclude<StateArray, Uint16Array> {
  if (!(data instanceof Uint16Array)) return storage === "f32" ? data : asNumbers(asBits(data, storage), storage);
  return storage === "bf16" ? bfloat16ToFloat32(data) : float16ToFloat32(data);
}

/** Exponents of NaN and infinity, in both halves of a word, and what carries from them into the bit above. */
const EXPONENTS = { f16: 0x7c007c00, bf16: 0x7f807f80 };
const CARRIES = { f16: 0x04000400, bf16: 0x00800080 };
const ABOVE = 0x80008000 | 0;

/** Whether no bit pattern of f16 or bf16 is NaN or infinite. */
export function finiteBits(bits: Uint16Array, storage: "f16" | "bf16"): boolean {
  const [mask, carry] = [EXPONENTS[storage], CARRIES[storage]];
  const first = bits.byteOffset % 4 === 0 ? 0 : 1;
  const pairs = Math.max(0, (bits.length - first) >> 1);
  const words = new Int32Array(bits.buffer, bits.byteOffset + 2 * first, pairs);
  let found = 0;
  // The sums stay integers for the engine only where each is said to be one.
  for (let i = 0; i < pairs; i++) found |= ((words[i] & mask) + carry) | 0;
  for (const i of [0, bits.length - 1]) if (bits.length > 0) found |= (bits[i] & mask) + carry;
  return (found & ABOVE) === 0;
}
