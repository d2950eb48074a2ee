/** Safetensors files of a data folder, each a shard: rows of the same tensors. */
import { failure } from "../../../core/errors.ts";
import type { Batch } from "../../../core/interfaces/mod.ts";
import {
  bfloat16ToFloat32,
  type FileSystem,
  type FileTensor,
  float16ToFloat32,
  openSafetensors,
  type StoredDtype,
  type StoredTensor,
  tensorAt,
} from "../../../core/io/mod.ts";
import { formatShape, sizeOf } from "../../../core/tensor/mod.ts";
import { dataAt } from "./dataPath.ts";

/** Key of what shards say of their making, in their metadata. */
export const ENCODING_KEY = "onestep.encoded";

/** A tensor that shards have: its element types and its number of axes, rows included. */
export interface ColumnSpec {
  readonly dtypes: readonly StoredDtype[];
  readonly rank: number;
  /** Every shard has it, or none has. */
  readonly optional?: boolean;
}

/** A tensor over all shards, in order. */
export interface Column {
  readonly dtype: StoredDtype;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly parts: readonly StoredTensor["data"][];
  /** Where each part comes from. */
  readonly files: readonly string[];
}

/** A tensor over all shards, in order, which is not read yet. */
export interface StoredColumn extends Omit<Column, "parts"> {
  readonly parts: readonly StoredPart[];
}

/** A column's tensor in one file. */
export interface StoredPart extends Pick<FileTensor, "read"> {
  readonly bytes: number;
  /** The bytes of rows from `first` on. */
  rows(first: number, count: number): Promise<StoredTensor>;
}

/** All shards of a folder as columns, and tensors that belong to no shard. */
export interface Shards<C = Column> {
  readonly count: number;
  readonly columns: Readonly<Record<string, C>>;
  /** Metadata of the first shard. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Tensors of the names asked for, with the file that has them. */
  readonly singles: Readonly<Record<string, { readonly tensor: StoredTensor; readonly file: string }>>;
  /** Shard and row within it of a row of all. */
  place(row: number): readonly [shard: number, row: number];
}

/** How a dataset reads its folder. */
export interface ShardsRequest {
  /** The dataset, for messages. */
  readonly name: string;
  readonly files?: FileSystem;
  readonly path?: string;
  readonly specs: Readonly<Record<string, ColumnSpec>>;
  /** Tensors that exactly one file of the folder may have. */
  readonly singles?: readonly string[];
}

/**
 * Reads every `.safetensors` file of the data folder, in order of names. Tensors stay in memory as they are stored.
 * @throws E_DATA that says what the folder should hold; E_CHECKPOINT for a damaged file
 */
export const readShards = async (request: ShardsRequest): Promise<Shards> => readColumns(await openShards(request));

/** The tensors of columns, all in memory. */
export async function readColumns(opened: Shards<StoredColumn>): Promise<Shards> {
  const columns: Record<string, Column> = {};
  for (const [key, column] of Object.entries(opened.columns)) {
    const parts: StoredTensor["data"][] = [];
    for (const part of column.parts) parts.push((await part.read()).data);
    columns[key] = { ...column, parts };
  }
  return { ...opened, columns };
}

/** `readShards` of the headers alone; what belongs to no shard is read. */
export async function openShards(request: ShardsRequest): Promise<Shards<StoredColumn>> {
  const { name, specs, singles: wanted = [] } = request;
  const { files, path } = dataAt(name, request);
  const all = (await files.exists(path)) ? await files.list(path) : [];
  const names = all.filter((each) => each.endsWith(".safetensors"));
  const shards: Record<string, FileTensor>[] = [];
  const singles: Record<string, { tensor: StoredTensor; file: string }> = {};
  const owners: { readonly file: string; readonly start: number; readonly metadata: Record<string, string> }[] = [];
  for (const each of names) {
    const file = files.join(path, each);
    const { tensors, head, metadata } = await openSafetensors(files, file);
    for (const single of wanted) {
      if (!(single in tensors)) continue;
      if (singles[single])
        throw failure(
          "E_DATA",
          `Cannot load ${name}: both ${singles[single].file} and ${file} hold ${single}, one file should`,
        );
      singles[single] = { tensor: await tensors[single].read(), file };
    }
    const rest = Object.keys(tensors).filter((key) => !wanted.includes(key));
    if (rest.length === 0) continue;
    shards.push(checked(tensors, specs, file, shards[0]));
    owners.push({ file, start: head.length, metadata });
  }
  if (shards.length === 0)
    throw failure(
      "E_DATA",
      `Cannot load ${name} from ${path}: it has no shard, should hold .safetensors files with ${contents(specs)}`,
    );
  const partOf = (tensor: FileTensor, { file, start }: (typeof owners)[number]): StoredPart => {
    const { begin, end, shape, read } = tensor;
    const width = (end - begin) / shape[0];
    return {
      bytes: end - begin,
      read,
      async rows(first, count) {
        const bytes = await files.readRange(file, start + begin + first * width, count * width);
        return tensorAt(bytes, { ...tensor, shape: [count, ...shape.slice(1)] }, file);
      },
    };
  };
  const columns: Record<string, StoredColumn> = {};
  for (const [key, { dtype, shape }] of Object.entries(shards[0]))
    columns[key] = {
      dtype,
      shape: shape.slice(1),
      parts: shards.map((each, i) => partOf(each[key], owners[i])),
      files: owners.map(({ file }) => file),
    };
  return {
    count: shards.reduce((sum, each) => sum + rowsOf(each), 0),
    columns,
    place: placing(shards),
    metadata: owners[0].metadata,
    singles,
  };
}

/** "x [N, …] of U8 or F32, …", for messages. */
const contents = (specs: ShardsRequest["specs"]): string =>
  Object.entries(specs)
    .map(([key, { rank, dtypes, optional }]) => {
      const axes = ["N", ...new Array<string>(rank - 1).fill("…")].join(", ");
      return `${optional ? "optional " : ""}${key} [${axes}] of ${dtypes.join(" or ")}`;
    })
    .join(", ");

/** The tensors that the specs name, if they are as these and the first shard have them. */
function checked(
  tensors: Readonly<Record<string, FileTensor>>,
  specs: ShardsRequest["specs"],
  file: string,
  first: Readonly<Record<string, FileTensor>> | undefined,
): Record<string, FileTensor> {
  const refuse = (why: string) => failure("E_DATA", `Cannot use ${file}: ${why}`);
  const kept: Record<string, FileTensor> = {};
  let rows: number | undefined;
  for (const [key, { dtypes, rank, optional }] of Object.entries(specs)) {
    const tensor = tensors[key];
    if (!tensor && (!optional || first?.[key])) throw refuse(`it has no tensor ${key}, should hold ${contents(specs)}`);
    if (!tensor) continue;
    const { dtype, shape } = tensor;
    if (!dtypes.includes(dtype) || shape.length !== rank || sizeOf(shape) === 0)
      throw refuse(`${key} is ${dtype} ${formatShape(shape)}, should be ${contents({ [key]: specs[key] })}`);
    rows ??= shape[0];
    if (shape[0] !== rows)
      throw refuse(`${key} has ${shape[0]} rows, should have ${rows} as ${Object.keys(kept)[0]} has`);
    const known = first?.[key];
    if (first && !known) throw refuse(`it has a tensor ${key}, the files before it have none`);
    const same = known && String(known.shape.slice(1)) === String(shape.slice(1));
    if (known && (!same || known.dtype !== dtype))
      throw refuse(
        `${key} is ${dtype} ${formatShape(shape)}, should be ${known.dtype} and have rows of ${formatShape(known.shape.slice(1))} as in the files before it`,
      );
    kept[key] = tensor;
  }
  return kept;
}

/** Rows of a shard: as many as its first column has. */
const rowsOf = (shard: Readonly<Record<string, FileTensor>>): number => Object.values(shard)[0].shape[0];

/** Finds the shard of a row, and its place in it. */
function placing(shards: readonly Readonly<Record<string, FileTensor>>[]): Shards["place"] {
  const ends: number[] = [];
  for (const each of shards) ends.push((ends.at(-1) ?? 0) + rowsOf(each));
  return (row) => {
    let [low, high] = [0, ends.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle] <= row) low = middle + 1;
      else high = middle;
    }
    return [low, row - (low === 0 ? 0 : ends[low - 1])];
  };
}

/** Rows of a column as float32, one after the other: bytes as [-1, 1], other numbers as they are. */
export function takeRows(
  { dtype, shape, parts }: Column,
  rows: ArrayLike<number>,
  place: Shards["place"],
): Float32Array {
  const width = sizeOf(shape);
  const taken = new Float32Array(rows.length * width);
  for (let b = 0; b < rows.length; b++) {
    const [shard, row] = place(rows[b]);
    const values = parts[shard].subarray(row * width, (row + 1) * width);
    widen(dtype, values, taken.subarray(b * width, (b + 1) * width));
  }
  return taken;
}

/** Stored numbers as float32: bytes as [-1, 1], others as they are. */
export function widen(dtype: StoredDtype, values: StoredTensor["data"], out: Float32Array): void {
  if (dtype === "U8") for (let i = 0; i < out.length; i++) out[i] = Number(values[i]) / 127.5 - 1;
  else if (dtype === "F16") out.set(float16ToFloat32(values as Uint16Array));
  else if (dtype === "BF16") out.set(bfloat16ToFloat32(values as Uint16Array));
  else if (dtype === "F32") out.set(values as Float32Array);
  else for (let i = 0; i < out.length; i++) out[i] = Number(values[i]);
}

/** Rows of a column of whole numbers, one each. */
export const takeIntegers = ({ parts }: Column, rows: ArrayLike<number>, place: Shards["place"]): Int32Array =>
  Int32Array.from(rows, (row) => {
    const [shard, at] = place(row);
    return Number(parts[shard][at]);
  });

/** The conditions of a batch by class; none for data without classes. */
export const labelled = (classes: number, label: () => Int32Array): Batch["condition"] =>
  classes > 0 ? { label: label() } : {};

/** The rows that a batch asks for: given ones, or as many at random, with replacement. Throws E_DATA for an index out of range. */
export function chooseRows(
  name: string,
  which: number | ArrayLike<number>,
  count: number,
  random: () => number,
): ArrayLike<number> {
  if (typeof which === "number") return Int32Array.from({ length: which }, () => Math.floor(random() * count));
  for (let i = 0; i < which.length; i++)
    if (!Number.isInteger(which[i]) || which[i] < 0 || which[i] >= count)
      throw failure("E_DATA", `Cannot take sample ${which[i]} of ${name}: should be an integer from 0 to ${count - 1}`);
  return which;
}

/** The floating-point types that columns are read from. */
export const FLOATS = ["F32", "F16", "BF16"] as const;
/** The types that classes are read from. */
export const INTEGERS = ["I64", "I32", "I16", "U16", "U32", "I8", "U8"] as const;

/** Bits of the exponent: where all are set, a half-precision number is NaN or infinite. */
const EXPONENT: Readonly<Record<string, number>> = { F16: 0x7c00, BF16: 0x7f80 };

/**
 * Throws E_DATA where a column of floating-point numbers holds NaN or infinity, with the file and the row that has it.
 * @param first row of the file at which the column begins
 */
export function checkFinite(name: string, key: string, { dtype, shape, parts, files }: Column, first = 0): void {
  const exponent = EXPONENT[dtype];
  const isBroken = exponent
    ? (bits: number) => (bits & exponent) === exponent
    : dtype === "F32"
      ? (value: number) => value * 0 !== 0
      : undefined;
  if (!isBroken) return;
  for (const [i, part] of parts.entries()) {
    const at = (part as Float32Array).findIndex(isBroken);
    if (at >= 0)
      throw failure(
        "E_DATA",
        `Cannot load ${name} from ${files[i]}: ${key} holds NaN or infinity in row ${first + Math.floor(at / sizeOf(shape))}, should hold finite numbers`,
        { fix: "mend that row, or leave it out of the file" },
      );
  }
}
