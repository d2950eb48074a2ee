/** Weights on their way from files to a device, one tensor at a time. */
import { failure } from "../errors.ts";
import type { Memory, StateArray } from "../interfaces/backend.ts";
import { ReusedRoom, type Room } from "../io/room.ts";
import { type StoredTensor, toFloat32 } from "../io/safetensors.ts";
import type { StoredDtype } from "../io/safetensorsHeader.ts";
import { asBits, finiteBits } from "../io/stateValues.ts";
import { allFinite } from "../tensor/allFinite.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { elementBytes, type Storage } from "../tensor/storage.ts";
import {
  arenaName,
  type KeptIn,
  mismatches,
  type ParameterEntry,
  type ParameterLayout,
  type Shaped,
  storageOf,
} from "./parameters.ts";

/** A tensor that a parameter takes its values from, read when it is its turn: what `openTensors` gives for a file. */
export interface WeightSource {
  readonly dtype: StoredDtype;
  readonly shape: Shape;
  /** It may lie in the room, and then holds until the next one is read. */
  read(room?: Room): StoredTensor | Promise<StoredTensor>;
}

/** Weights by parameter name. */
export type WeightSources = Readonly<Record<string, WeightSource>>;

const HALVES: Readonly<Partial<Record<StoredDtype, Storage>>> = { F16: "f16", BF16: "bf16" };

/**
 * Keeps matrices and kernels in the storage that their tensors have, so that no bit is lost or made up; what has one axis, such
 * as biases and norms, takes little and is kept in f32.
 */
export const asStored =
  (sources: WeightSources): KeptIn =>
  (name, shape) =>
    (shape.length > 1 && Object.hasOwn(sources, name) && HALVES[sources[name].dtype]) || "f32";

/** What keeps the tensors of files from being the parameters of a layout, as `mismatches` says it; of them only derived ones are read. */
export async function misfits(layout: ParameterLayout, sources: WeightSources): Promise<string[]> {
  const known: Record<string, Shaped> = Object.assign(Object.create(null), sources);
  for (const { name } of layout.derived ?? [])
    if (Object.hasOwn(sources, name)) {
      const { shape } = sources[name];
      known[name] = { shape, data: toFloat32(await sources[name].read()) } as Shaped;
    }
  return mismatches(layout, known);
}

/** The floating-point types that weights may have. */
const FLOATING: readonly StoredDtype[] = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"];

/** A parameter with its values in the form that its flat tensor takes: f32, or bit patterns. */
export interface ReadParameter {
  readonly entry: ParameterEntry;
  readonly values: StateArray;
}

/**
 * Reads parameters one after another: the values of one hold until the next is asked for. `sources` has all of the layout, in the right shapes
 * (see `mismatches`).
 * @param what what can't be done with a tensor that holds no numbers, for the message: "load the teacher from a.safetensors"
 * @param roomFor where a tensor is read to
 * @throws E_CHECKPOINT where a tensor is not of floating point, or holds NaN, infinity, or what is too large for its storage
 */
export async function* readParameters(
  layout: ParameterLayout,
  sources: WeightSources,
  what: string,
  roomFor?: (entry: ParameterEntry) => Room,
): AsyncGenerator<ReadParameter, void> {
  const room = new ReusedRoom();
  for (const entry of layout.entries) {
    const tensor = await sources[entry.name].read(roomFor?.(entry) ?? room);
    yield { entry, values: valuesOf(tensor, storageOf(layout, entry.arena), `Cannot ${what}: ${entry.name}`) };
  }
}

function valuesOf(tensor: StoredTensor, storage: Storage, refused: string): StateArray {
  if (!FLOATING.includes(tensor.dtype))
    throw failure("E_CHECKPOINT", `${refused} is ${tensor.dtype}, should be one of ${FLOATING.join(", ")}`);
  const infinite = () => failure("E_CHECKPOINT", `${refused} holds NaN or infinity, should hold finite numbers`);
  if (tensor.data instanceof Uint16Array && storage === HALVES[tensor.dtype]) {
    if (!finiteBits(tensor.data, storage as "f16" | "bf16")) throw infinite();
    return tensor.data;
  }
  const numbers = toFloat32(tensor);
  if (!allFinite(numbers)) throw infinite();
  const values = asBits(numbers, storage);
  if (values instanceof Uint16Array && !finiteBits(values, storage as "f16" | "bf16"))
    throw failure("E_CHECKPOINT", `${refused} holds numbers that are too large for ${storage}, in which it is kept`);
  return values;
}

/** Makes the flat tensors of `owner` in a memory, zeros; those that are there keep what they hold. */
export function allocateArenas(memory: Memory, owner: string, layout: ParameterLayout): void {
  const bytes = layout.arenas.map((size, arena) => size * elementBytes(storageOf(layout, arena)));
  memory.expect?.(bytes.reduce((sum, each) => sum + each, 0));
  for (const [arena, size] of layout.arenas.entries())
    memory.allocate(arenaName(owner, arena), size, storageOf(layout, arena));
}

/**
 * Puts weights into flat tensors that are there, one parameter after another, each into all of `owners`. Where the host sees the
 * device's memory, files are read to their place.
 * @throws as `readParameters` does; then some parameters are written and others are not
 */
export async function streamParameters(
  memory: Memory,
  owners: readonly string[],
  layout: ParameterLayout,
  sources: WeightSources,
  what: string,
): Promise<void> {
  const [first] = owners;
  const room = new ReusedRoom();
  const inPlace = ({ arena, offset, shape }: ParameterEntry): Room => ({
    take(bytes) {
      const elements = sizeOf(shape);
      const fits = bytes === elements * elementBytes(storageOf(layout, arena));
      return (fits && memory.place?.(arenaName(first, arena), offset, elements)) || room.take(bytes);
    },
  });
  for await (const { entry, values } of readParameters(layout, sources, what, inPlace))
    for (const owner of owners) memory.write(arenaName(owner, entry.arena), values, entry.offset);
}
