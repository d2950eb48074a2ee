/** What a file of PyTorch holds, by path. */
import { failure } from "../errors.ts";
import { sizeOf } from "../tensor/shape.ts";
import { damaged } from "./byteSource.ts";
import { NumpyArray } from "./numpyPickle.ts";
import { keyText } from "./pickle.ts";
import type { StoredDtype, StoredTensor } from "./safetensorsHeader.ts";
import { mostNumbers, type TorchStorage, TorchTensor } from "./torchStorage.ts";
import { PickledModule } from "./torchWorld.ts";

/** A tensor of a file, to be read when it is needed. */
export interface TorchEntry {
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  read(): Promise<StoredTensor>;
}

/** A network that was pickled whole: what its class was called, and what it was made with. */
export interface PickledNetwork {
  readonly className: string;
  readonly initKwargs: Readonly<Record<string, unknown>>;
}

/**
 * What a file holds, by path: the keys of dicts and the places of lists joined by "/", parameters and buffers of networks by
 * their state-dict names. The records have no prototype.
 */
export interface TorchFile {
  readonly tensors: Record<string, TorchEntry>;
  /** Numbers, texts, truth values and None. */
  readonly values: Record<string, number | bigint | string | boolean | null>;
  readonly networks: Record<string, PickledNetwork>;
}

/** No file of weights nests deeper, or has more entries. */
const DEEPEST = 64;
const MOST_ENTRIES = 1_000_000;
/** Entries of a small file, whose values may be shared; a larger one has a byte at least for each. */
const LEAST_LIMIT = 10_000;
/** Letters of a path, on average of all entries. */
const PATH = 256;

/**
 * The entries of what a pickle holds.
 * @param bytes of the file, beyond which entries can't grow but by sharing values
 * @throws E_DATA where they are too many, too deep, or two have one path
 */
export function torchEntries(root: unknown, from: string, bytes: number): TorchFile {
  const file: TorchFile = {
    tensors: Object.create(null),
    values: Object.create(null),
    networks: Object.create(null),
  };
  /** Values that refer to each other can be many more than the file has bytes. */
  const most = Math.min(MOST_ENTRIES, LEAST_LIMIT + bytes);
  let visited = 0;
  let letters = 0;
  const count = (path: string): void => {
    letters += path.length;
    if (++visited > most || letters > most * PATH)
      throw damaged({ name: from }, `it has more than ${most} entries, or longer names than so many have`);
  };
  const textOf = (key: unknown): string => {
    const text = keyText(key);
    if (text === undefined) throw damaged({ name: from }, "a key of a dict is no text or number");
    return text;
  };
  const put = <T>(record: Record<string, T>, path: string, value: T) => {
    // As a key it would set the prototype of a plain object that a caller copies the entries into.
    if (path === "__proto__") throw damaged({ name: from }, `it has an entry "__proto__"`);
    if (path in record) throw damaged({ name: from }, `it has two entries ${JSON.stringify(path)}`);
    record[path] = value;
  };
  const storages = new Set<TorchStorage>();
  let [stored, numbers] = [0, 0];
  /** Few numbers that many tensors repeat would grow without end when all are read. */
  const look = ({ storage, shape }: TorchTensor): void => {
    if (!storages.has(storage)) stored += storage.elements;
    storages.add(storage);
    numbers += sizeOf(shape);
  };
  const visit = (value: unknown, name: string, depth: number): void => {
    count(name);
    if (depth > DEEPEST) throw damaged({ name: from }, `its entries are nested more than ${DEEPEST} deep`);
    const within = (key: string) => (depth === 0 ? key : `${name}/${key}`);
    if (value instanceof NumpyArray) visit(value.tensor ?? null, name, depth);
    else if (value instanceof TorchTensor) {
      const { shape, storage } = value;
      look(value);
      put(file.tensors, name, { shape, dtype: storage.dtype, read: () => value.read() });
    } else if (value instanceof PickledModule) {
      put(file.networks, name, { className: value.className, initKwargs: plain(value.state.get("_init_kwargs")) });
      visitModule(value, depth === 0 ? "" : `${name}/`, "", 0);
    } else if (value instanceof Map) for (const [key, each] of value) visit(each, within(textOf(key)), depth + 1);
    else if (Array.isArray(value)) for (const [i, each] of value.entries()) visit(each, within(String(i)), depth + 1);
    else if (value === null || ["number", "bigint", "string", "boolean"].includes(typeof value))
      put(file.values, name, value as number | bigint | string | boolean | null);
  };
  /** Parameters and buffers with the names of the state dict. */
  const visitModule = (module: PickledModule, path: string, prefix: string, depth: number): void => {
    count(prefix);
    if (depth > DEEPEST) throw damaged({ name: from }, `a network is nested more than ${DEEPEST} deep`);
    for (const part of ["_parameters", "_buffers"])
      for (const [name, value] of module.part(part))
        if (value instanceof TorchTensor) visit(value, `${path}${prefix}${textOf(name)}`, 1);
    for (const [name, child] of module.part("_modules"))
      if (child instanceof PickledModule) visitModule(child, path, `${prefix}${textOf(name)}.`, depth + 1);
  };
  /** Settings as JSON has them, and whole numbers beyond it. */
  const convert = (each: unknown, depth: number): unknown => {
    count("");
    if (depth > DEEPEST) throw damaged({ name: from }, `settings are nested more than ${DEEPEST} deep`);
    if (each instanceof Map)
      return Object.fromEntries([...each].map(([key, inner]) => [textOf(key), convert(inner, depth + 1)]));
    if (Array.isArray(each)) return each.map((inner) => convert(inner, depth + 1));
    return typeof each === "object" ? null : each;
  };
  const plain = (value: unknown) => (value instanceof Map ? (convert(value, 0) as Record<string, unknown>) : {});
  visit(root, "", 0);
  if (numbers > mostNumbers(stored))
    throw failure("E_CHECKPOINT", `Cannot read ${from}: its tensors repeat ${stored} numbers to ${numbers}`);
  return file;
}
