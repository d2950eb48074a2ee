/** Safetensors files as others might write them: sound ones, and such with faults in every field. */

import type { StoredDtype } from "../../../core/io/safetensors.ts";
import { joined } from "../../../core/tensor/mod.ts";
import { type Draw, utf8 } from "./draw.ts";

/** Bytes of an element. */
const SIZES: Readonly<Record<StoredDtype, number>> = {
  F64: 8,
  I64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  BOOL: 1,
};
export const DTYPES = Object.keys(SIZES) as StoredDtype[];

/** A tensor that a reader looks for. */
export interface WantedTensor {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  /** Whole numbers below this; else, and for floating-point numbers, between −1 and 1. */
  readonly below?: number;
}

/** How sound a file is. */
export interface SafetensorsStyle {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Part of the files that are as they should be. */
  readonly soundness?: number;
}

/** The bytes of a file with these tensors. */
export function safetensorsBytes(
  draw: Draw,
  wanted: readonly WantedTensor[],
  { metadata = {}, soundness = 0.5 }: SafetensorsStyle = {},
): Uint8Array {
  const sound = draw.chance(soundness);
  const keep = sound ? 1 : 0.93;
  const tensors = sound ? wanted : varied(draw, wanted);
  const members: Record<string, string> = {};
  if (Object.keys(metadata).length > 0)
    members.__metadata__ = draw.object(
      Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, JSON.stringify(text)])),
      keep,
    );
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const { name, dtype, shape, below } of tensors) {
    const data = numbers(draw, dtype, elements(shape), sound ? 0 : 0.02, below);
    const begin = end;
    end += data.length;
    parts.push(data);
    const places = draw.chance(keep) ? [begin, end] : [begin + draw.between(-1, 1), draw.pick([end, end + 1, 2 ** 53])];
    const entry = {
      dtype: JSON.stringify(dtype),
      shape: draw.chance(keep) ? JSON.stringify(shape) : draw.json(2),
      data_offsets: JSON.stringify(places),
    };
    members[name] = draw.object(entry, keep);
  }
  const json = utf8(`${draw.object(members, keep)}${" ".repeat(draw.below(9))}`);
  const head = new Uint8Array(8);
  const length = draw.chance(keep) ? json.length : draw.pick([0, json.length + 1, 2 ** 31, 2 ** 52, draw.below(100)]);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  const bytes = joined([head, json, ...parts]);
  return sound ? bytes : draw.damaged(bytes, 0.6);
}

const elements = (shape: readonly number[]) => shape.reduce((count, size) => count * size, 1);

/** One tensor less, one more, or one of another kind. */
function varied(draw: Draw, wanted: readonly WantedTensor[]): readonly WantedTensor[] {
  if (draw.chance(0.5)) return wanted;
  const others = draw.list(2, () => ({
    name: draw.text(wanted.map(({ name }) => name)),
    dtype: draw.pick(DTYPES),
    shape: draw.list(4, () => draw.below(4)),
  }));
  const kept = wanted
    .filter(() => draw.chance(0.9))
    .map((each) => ({
      ...each,
      name: draw.text([each.name], 0.05),
      dtype: draw.chance(0.9) ? each.dtype : draw.pick(DTYPES),
      shape: draw.chance(0.9) ? each.shape : [...each.shape, draw.below(3)].slice(draw.below(2)),
    }));
  const all = [...kept, ...others];
  return all.filter(({ name }, i) => all.findIndex((each) => each.name === name) === i);
}

function numbers(draw: Draw, dtype: StoredDtype, count: number, odd: number, below?: number): Uint8Array {
  if (dtype === "F32") return bytesOf(Float32Array.from({ length: count }, () => draw.float(odd)));
  if (dtype === "F64") return bytesOf(Float64Array.from({ length: count }, () => draw.float(odd)));
  // Halves between 0 and 2, where their high byte says so.
  if (dtype === "F16" || dtype === "BF16") {
    const high = () => (draw.chance(odd) ? 0xff : draw.pick([0x38, 0x3c, 0xbc, 0]));
    return Uint8Array.from({ length: 2 * count }, (_, i) => (i % 2 ? high() : draw.below(256)));
  }
  const size = SIZES[dtype];
  const most = dtype === "BOOL" ? 2 : (below ?? 10);
  return Uint8Array.from({ length: size * count }, (_, i) => {
    if (odd > 0 && draw.chance(odd)) return draw.below(256);
    return i % size === 0 ? draw.below(most) : 0;
  });
}

const bytesOf = ({ buffer }: Float32Array | Float64Array) => new Uint8Array(buffer as ArrayBuffer);
