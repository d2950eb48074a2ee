/** Opcodes of WebAssembly instructions without immediates, by their name in the text format. */
const plain = {
  "i32.eqz": 0x45,
  "i32.eq": 0x46,
  "i32.lt_u": 0x49,
  "i32.ge_u": 0x4f,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.div_u": 0x6e,
  "i32.rem_u": 0x70,
  "i32.and": 0x71,
  "i32.shl": 0x74,
  "i64.lt_u": 0x54,
  "i64.add": 0x7c,
  "i64.mul": 0x7e,
  "i64.shl": 0x86,
  "i64.extend_i32_u": 0xad,
  "f64.promote_f32": 0xbb,
  "f32.demote_f64": 0xb6,
} as const;

/** Of the vector instructions: the number after the prefix 0xfd. Shifts take an i32 as second operand. */
const vector = {
  "v128.load": 0,
  "v128.load32_splat": 9,
  "v128.store": 11,
  "v128.const": 12,
  "i8x16.shuffle": 13,
  "i32x4.splat": 17,
  "f32x4.splat": 19,
  "f32x4.extract_lane": 31,
  "f32x4.replace_lane": 32,
  "i32x4.eq": 55,
  "i32x4.ne": 56,
  "i32x4.lt_s": 57,
  "i32x4.gt_s": 59,
  "f32x4.eq": 65,
  "f32x4.ne": 66,
  "f32x4.lt": 67,
  "f32x4.gt": 68,
  "f32x4.le": 69,
  "f32x4.ge": 70,
  "v128.not": 77,
  "v128.and": 78,
  "v128.andnot": 79,
  "v128.or": 80,
  "v128.xor": 81,
  "v128.bitselect": 82,
  "v128.any_true": 83,
  "v128.store32_lane": 90,
  "f32x4.demote_f64x2_zero": 94,
  "f64x2.promote_low_f32x4": 95,
  "f32x4.floor": 104,
  "f32x4.nearest": 106,
  "f64x2.nearest": 148,
  "i32x4.abs": 160,
  "i32x4.neg": 161,
  "i32x4.shl": 171,
  "i32x4.shr_s": 172,
  "i32x4.shr_u": 173,
  "i32x4.add": 174,
  "i32x4.sub": 177,
  "i32x4.mul": 181,
  "i32x4.min_s": 182,
  "i32x4.max_s": 184,
  "f32x4.abs": 224,
  "f32x4.neg": 225,
  "f32x4.sqrt": 227,
  "f32x4.add": 228,
  "f32x4.sub": 229,
  "f32x4.mul": 230,
  "f32x4.div": 231,
  "f32x4.min": 232,
  "f32x4.max": 233,
  "f32x4.pmin": 234,
  "f32x4.pmax": 235,
  "f64x2.add": 240,
  "f64x2.sub": 241,
  "f64x2.mul": 242,
  "f64x2.div": 243,
  "i32x4.trunc_sat_f32x4_s": 248,
  "f32x4.convert_i32x4_s": 250,
  "i32x4.trunc_sat_f64x2_s_zero": 252,
  "f64x2.convert_low_i32x4_s": 254,
  "f32x4.relaxed_madd": 0x105,
} as const;

/** Name of an instruction. */
export type Opcode = keyof typeof plain | keyof typeof vector;

/** LEB128 of an unsigned number below 2³². */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return bytes;
}

/** LEB128 of a signed 32-bit number; an unsigned one is taken by its bits, as i32.const does. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && !(low & 0x40)) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

/** LEB128 of a number from 0 to 2⁵³ - 1 as a signed 64-bit one. */
export function signed64(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 64; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

const scratch = new DataView(new ArrayBuffer(8));
const bytesOf = (count: number): number[] => Array.from({ length: count }, (_, i) => scratch.getUint8(i));

/** The four bytes of a float. */
export function floatBytes(value: number): number[] {
  scratch.setFloat32(0, value, true);
  return bytesOf(4);
}
/** The four bytes of an integer. */
export function integerBytes(value: number): number[] {
  scratch.setInt32(0, value, true);
  return bytesOf(4);
}
/** The eight bytes of a double. */
export function doubleBytes(value: number): number[] {
  scratch.setFloat64(0, value, true);
  return bytesOf(8);
}

const opcodes = new Map<Opcode, readonly number[]>([
  ...Object.entries(plain).map(([name, code]) => [name as Opcode, [code]] as const),
  ...Object.entries(vector).map(([name, code]) => [name as Opcode, [0xfd, ...unsigned(code)]] as const),
]);

/** Bytes of an instruction, before its immediates. */
export const opcodeBytes = (name: Opcode): readonly number[] => opcodes.get(name)!;
