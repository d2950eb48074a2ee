/** Tensors of a file in another shape, read as lazily as they are. */
import { failure } from "../../../core/errors.ts";
import type { FileEntry, StoredTensor } from "../../../core/io/mod.ts";
import { sizeOf } from "../../../core/tensor/mod.ts";

type Numbers = StoredTensor["data"];
const tensorOf = (dtype: FileEntry["dtype"], shape: readonly number[], data: Numbers) =>
  ({ dtype, shape, data }) as StoredTensor;

/** The same numbers in another shape of as many. */
export const reshaped = (entry: FileEntry, shape: readonly number[]): FileEntry => ({
  dtype: entry.dtype,
  shape,
  read: async () => tensorOf(entry.dtype, shape, (await entry.read()).data),
});

const odd = (name: string, shape: readonly number[], should: string) =>
  failure("E_CHECKPOINT", `Cannot read ${name}: it is [${shape.join(", ")}], should be ${should}`);

/** A matrix [rows, columns] as [columns, rows]. Throws E_CHECKPOINT for what is no matrix. */
export function turned({ dtype, shape, read }: FileEntry, name: string): FileEntry {
  if (shape.length !== 2) throw odd(name, shape, "a matrix");
  const [rows, columns] = shape;
  return {
    dtype,
    shape: [columns, rows],
    async read() {
      const { data } = await read();
      const out = data.slice() as Float32Array;
      const from = data as Float32Array;
      for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = from[i * columns + j];
      return tensorOf(dtype, [columns, rows], out);
    },
  };
}

/** The part `index` of `count` equal parts of a tensor's first axis. Throws E_CHECKPOINT where it has no such parts. */
export function partOf(
  { dtype, shape: whole, read }: FileEntry,
  index: number,
  count: number,
  name: string,
): FileEntry {
  const [rows = 1, ...rest] = whole;
  if (whole.length === 0 || rows % count !== 0) throw odd(name, whole, `${count} parts of the same size`);
  const shape = [rows / count, ...rest];
  const size = sizeOf(shape);
  return {
    dtype,
    shape,
    read: async () => tensorOf(dtype, shape, (await read()).data.slice(index * size, (index + 1) * size)),
  };
}

/** Tensors of one type, one after the other along the first axis. Throws E_CHECKPOINT where they do not fit together. */
export function stacked(entries: readonly FileEntry[], name: string): FileEntry {
  const [{ dtype, shape: first }] = entries;
  const rest = first.slice(1);
  if (entries.some((each) => each.dtype !== dtype || each.shape.slice(1).join() !== rest.join()))
    throw failure(
      "E_CHECKPOINT",
      `Cannot join the parts of ${name}: they are ${entries.map((each) => `${each.dtype} [${each.shape.join(", ")}]`).join(", ")}, should be of one type and width`,
    );
  const shape = [entries.reduce((rows, each) => rows + each.shape[0], 0), ...rest];
  return {
    dtype,
    shape,
    async read() {
      let all: Numbers | undefined;
      let at = 0;
      for (const entry of entries) {
        const { data } = await entry.read();
        all ??= new (data.constructor as Float32ArrayConstructor)(sizeOf(shape));
        (all as Float32Array).set(data as Float32Array, at);
        at += data.length;
      }
      return tensorOf(dtype, shape, all as Numbers);
    },
  };
}
