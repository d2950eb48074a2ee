/** Floating-point tensors of a file as another type of floats, converted as they are read. */
import { failure } from "../../../core/errors.ts";
import {
  type FileEntry,
  float32ToBfloat16,
  float32ToFloat16,
  type StoredDtype,
  toFloat32,
} from "../../../core/io/mod.ts";

/** Types that weights are written in, by the names of options. */
export const WRITTEN_DTYPES = { f16: "F16", bf16: "BF16", f32: "F32" } as const satisfies Record<string, StoredDtype>;
export type WrittenDtype = keyof typeof WRITTEN_DTYPES;

/** Types of floating-point numbers. */
export const FLOATS: readonly StoredDtype[] = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"];

/**
 * An entry whose numbers are of this type; the same one for numbers that are no floats, or without a type. Reading it throws
 * E_CHECKPOINT where a finite number has no place in the type.
 */
export function asFloat(entry: FileEntry, name: string, type: WrittenDtype | undefined): FileEntry {
  const dtype = type && WRITTEN_DTYPES[type];
  if (!dtype || dtype === entry.dtype || !FLOATS.includes(entry.dtype)) return entry;
  return {
    dtype,
    shape: entry.shape,
    async read() {
      const values = toFloat32(await entry.read());
      const { shape } = entry;
      if (dtype === "F32") return { dtype, shape, data: values };
      const data = dtype === "F16" ? float32ToFloat16(values) : float32ToBfloat16(values);
      // All bits of the exponent set: infinite, or no number.
      const mask = dtype === "F16" ? 0x7c00 : 0x7f80;
      const over = data.findIndex((bits, i) => (bits & mask) === mask && Number.isFinite(values[i]));
      if (over >= 0)
        throw failure(
          "E_CHECKPOINT",
          `Cannot write ${name} as ${type}: it has ${values[over]}, which is beyond its range`,
          {
            fix: "write it with --dtype bf16 or f32",
          },
        );
      return { dtype, shape, data };
    },
  };
}
