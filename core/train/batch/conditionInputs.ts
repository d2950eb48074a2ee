/** Conditions of samples: as inputs of a program, and the arrays that they are fed. */
import type { HostArray } from "../../interfaces/backend.ts";
import { type Condition, type ConditionEntry, type ConditionShape, emptyName } from "../../interfaces/condition.ts";
import type { Batch, Dataset } from "../../interfaces/dataset.ts";
import { broadcastTo, input } from "../../ops/mod.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Whose condition it is: that of real samples, or of generated ones. */
export type Described = "real" | "prompt";

/** Name of the input that one entry is fed through. */
const inputName = (who: Described, entry: string): string => `${who}.${entry}`;

/** Makes a tensor [size, …] of an entry in place of the input. */
export type EntryMaker = (name: string, entry: ConditionEntry) => Tensor | undefined;

/** The condition of `size` samples as inputs below `who`; `make` may give tensors of its own for some entries. */
export function conditionInputs(
  condition: ConditionShape,
  who: Described,
  size: number,
  make: EntryMaker = () => undefined,
): Condition {
  const entries: Record<string, Tensor> = {};
  for (const [name, entry] of Object.entries(condition)) {
    const shape = [size, ...entry.shape];
    entries[name] = make(name, entry) ?? input(inputName(who, name), shape, entry.dtype);
    // One for all samples, as an input and not a constant, so that a program keeps no copy of it.
    if (entry.empty === "stored")
      entries[emptyName(name)] = broadcastTo(input(emptyName(name), [1, ...entry.shape], entry.dtype), { shape });
  }
  return entries;
}

/** Values of these inputs for `size` samples from sample `first` of a batch on; zeros after its last. */
export function conditionArrays(
  shape: ConditionShape,
  who: Described,
  { condition, empty = {} }: Pick<Batch, "condition"> & Pick<Dataset, "empty">,
  { first, size }: { readonly first: number; readonly size: number },
): Record<string, HostArray> {
  const arrays: Record<string, HostArray> = {};
  for (const [name, entry] of Object.entries(shape)) {
    const width = sizeOf(entry.shape);
    const values = condition[name].subarray(first * width, (first + size) * width);
    arrays[inputName(who, name)] = values.length === size * width ? values : padded(values, size * width);
    if (entry.empty === "stored") arrays[emptyName(name)] = empty[name];
  }
  return arrays;
}

function padded(values: HostArray, length: number): HostArray {
  const all = values instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  all.set(values);
  return all;
}
