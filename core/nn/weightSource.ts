/** Weights on their way from files to a device, one tensor at a time. */
import { failure } from "../errors.ts";
import type { Memory, StateArray } from "../interfaces/backend.ts";
import { type StoredTensor, toFloat32 } from "../io/safetensors.ts";
import type { StoredDtype } from "../io/safetensorsHeader.ts";
import { asBits, finiteBits } from "../io/stateValues.ts";
import { allFinite } from "../tensor/allFinite.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import { arenaName, type KeptIn, type ParameterEntry, type ParameterLayout, storageOf } from "./parameters.ts";

/** A tensor that a parameter takes its values from, read when it is its turn: what `openTensors` gives for a file. */
export interface WeightSource {
  readonly dtype: StoredDtype;
  readonly shape: Shape;
  read(): StoredTensor | Promise<StoredTensor>;
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

/** The floating-point types that weights may have. */
const FLOATING: readonly StoredDtype[] = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"];

/** A parameter with its values in the form that its flat tensor takes: f32, or bit patterns. */
export interface ReadParameter {
  readonly entry: ParameterEntry;
  readonly values: StateArray;
}

/**
 * Reads parameters one after another: no other one is in memory meanwhile. `sources` has all of the layout, in the right shapes
 * (see `mismatches`).
 * @param what what can't be done with a tensor that holds no numbers, for the message: "load the teacher from a.safetensors"
 * @throws E_CHECKPOINT where a tensor is not of floating point, or holds NaN, infinity, or what is too large for its storage
 */
export async function* readParameters(
  layout: ParameterLayout,
  sources: WeightSources,
  what: string,
): AsyncGenerator<ReadParameter, void> {
  for (const entry of layout.entries) {
    const tensor = await sources[entry.name].read();
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
  for (const [arena, size] of layout.arenas.entries())
    memory.allocate(arenaName(owner, arena), size, storageOf(layout, arena));
}

/**
 * Puts weights into flat tensors that are there, each parameter into all of `owners`; between parameters, and after them, the
 * flat tensors stay as they are.
 * @throws as `readParameters` does; then some parameters are written and others are not
 */
export async function writeParameters(
  memory: Memory,
  owners: readonly string[],
  parameters: AsyncIterable<ReadParameter> | Iterable<ReadParameter>,
): Promise<void> {
  for await (const { entry, values } of parameters)
    for (const owner of owners) memory.write(arenaName(owner, entry.arena), values, entry.offset);
}
