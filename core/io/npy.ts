/** NumPy's arrays: `.npy` files, and `.npz` archives of them. NEP 1 of NumPy. */
import { type ByteSource, damaged } from "./byteSource.ts";
import { arrays, type StoredDtype, type StoredTensor } from "./safetensorsHeader.ts";
import { columnMajorStrides, rowMajor } from "./strided.ts";
import { openZip } from "./zip.ts";

/** NumPy's own limit. */
const MOST_AXES = 64;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** What NumPy calls the types that are read, without the mark of the byte order. */
export const numpyTypes: Readonly<Record<string, StoredDtype>> = {
  f8: "F64",
  f4: "F32",
  f2: "F16",
  i8: "I64",
  i4: "I32",
  i2: "I16",
  i1: "I8",
  u4: "U32",
  u2: "U16",
  u1: "U8",
  b1: "BOOL",
};

/** True when the bytes start as a `.npy` file does. */
export const isNpy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/** What the header of an array says. */
export interface NpyHeader {
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
}

/** A header with what reading the numbers takes. */
interface WholeHeader extends NpyHeader {
  readonly isBigEndian: boolean;
  readonly isFortran: boolean;
  /** Bytes before the numbers. */
  readonly end: number;
}

/** The most bytes of a header: of a long one only versions for records of many fields make use, which are not read. */
const LONGEST = 2 ** 17;

/** Where the header of a file ends, by its first bytes. */
function headerEnd(bytes: Uint8Array, from: string): { readonly start: number; readonly end: number } {
  const refuse = (why: string) => damaged({ name: from }, why);
  if (!isNpy(bytes) || bytes.length < 10) throw refuse("it does not begin as a .npy file does");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLong = bytes[6] >= 2;
  const start = isLong ? 12 : 10;
  if (bytes[6] < 1 || bytes[6] > 3 || bytes.length < start)
    throw refuse(`it has version ${bytes[6]}, should be 1 to 3`);
  return { start, end: start + (isLong ? view.getUint32(8, true) : view.getUint16(8, true)) };
}

/**
 * @param size bytes of the whole file, of which at least the header is there
 * @throws E_DATA where it does not fit the header
 */
function headerOf(bytes: Uint8Array, size: number, from: string): WholeHeader {
  const refuse = (why: string, fix?: string) => damaged({ name: from }, why, fix);
  const { start, end } = headerEnd(bytes, from);
  if (end > bytes.length) throw refuse("its header is cut short");
  const header = new TextDecoder().decode(bytes.subarray(start, end));
  const [, descr] = header.match(/'descr':\s*'([^']*)'/) ?? [];
  const [, order] = header.match(/'fortran_order':\s*(True|False)/) ?? [];
  const [, sizes] = header.match(/'shape':\s*\(([\d,\s]*)\)/) ?? [];
  if (descr === undefined || order === undefined || sizes === undefined)
    throw refuse("its header names no plain type, order and shape");
  const kind = descr.replace(/^[<>|=]/, "");
  if (!Object.hasOwn(numpyTypes, kind))
    throw refuse(
      `its numbers have type ${JSON.stringify(descr)}, which is not read`,
      `store it as one of ${Object.keys(numpyTypes).join(", ")}`,
    );
  const dtype = numpyTypes[kind];
  const shape = sizes.split(",").flatMap((size) => (size.trim() === "" ? [] : [Number(size)]));
  const count = shape.reduce((product, size) => product * size, 1);
  const expected = count * arrays[dtype].BYTES_PER_ELEMENT;
  if (shape.length > MOST_AXES) throw refuse(`it has ${shape.length} axes, should have ${MOST_AXES} at most`);
  if (![...shape, count].every(Number.isSafeInteger) || expected !== size - end)
    throw refuse(`it has ${size - end} bytes of numbers, should have ${expected} for shape [${shape.join(", ")}]`);
  return { dtype, shape, isBigEndian: descr.startsWith(">"), isFortran: order === "True", end };
}

/**
 * Type and shape of an array, without its numbers.
 * @param start gives the first bytes of the file
 * @throws E_DATA for a damaged header, a file of another length, or types without a plain number
 */
export async function readNpyHeader(
  start: (length: number) => Promise<Uint8Array>,
  size: number,
  from = "array of NumPy",
): Promise<NpyHeader> {
  const { end } = headerEnd(await start(Math.min(size, 12)), from);
  if (end > LONGEST) throw damaged({ name: from }, `its header claims to have ${end} bytes`);
  const { dtype, shape } = headerOf(await start(Math.min(size, end)), size, from);
  return { dtype, shape };
}

/**
 * The array of a `.npy` file, in row-major order, whichever order it is stored in. Big-endian numbers are turned round.
 * @throws E_DATA for a damaged file, one that is cut short or longer than its array, or types without a plain number
 */
export function decodeNpy(bytes: Uint8Array, from = "array of NumPy"): StoredTensor {
  const { dtype, shape, isBigEndian, isFortran, end } = headerOf(bytes, bytes.length, from);
  const size = arrays[dtype].BYTES_PER_ELEMENT;
  // A copy: typed arrays need aligned offsets, and callers may write.
  const raw = bytes.slice(end);
  if (isBigEndian) for (let at = 0; at < raw.length; at += size) raw.subarray(at, at + size).reverse();
  const data = new arrays[dtype](raw.buffer) as StoredTensor["data"];
  if (dtype === "BOOL" && raw.some((value) => value > 1))
    throw damaged({ name: from }, "a truth value is neither 0 nor 1");
  return {
    dtype,
    shape,
    data: isFortran ? rowMajor(dtype, data, { shape, strides: columnMajorStrides(shape), offset: 0 }) : data,
  } as StoredTensor;
}

/** An array of an archive, to be read when it is needed. */
export interface NpzEntry {
  /** Its type and shape alone. */
  header(): Promise<NpyHeader>;
  read(): Promise<StoredTensor>;
}

/** The arrays of a `.npz` archive by name, without `.npy`. The record has no prototype. Throws E_DATA. */
export async function openNpz(source: ByteSource): Promise<Record<string, NpzEntry>> {
  const found: Record<string, NpzEntry> = Object.create(null);
  for (const entry of Object.values(await openZip(source))) {
    if (!entry.name.endsWith(".npy")) continue;
    const name = entry.name.slice(0, -".npy".length);
    if (name === "__proto__") throw damaged(source, 'it has an array "__proto__"');
    const from = `${name} in ${source.name}`;
    found[name] = {
      header: () => readNpyHeader((length) => entry.start(length), entry.size, from),
      read: async () => decodeNpy(await entry.read(), from),
    };
  }
  return found;
}
