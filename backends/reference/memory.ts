import { failure } from "../../core/errors.ts";
import type { HostArray, Memory, StateArray, StateType } from "../../core/interfaces/backend.ts";
import { asNumbers } from "../../core/io/stateValues.ts";
import { checkPart } from "../../core/tensor/checkPart.ts";
import type { Storage } from "../../core/tensor/storage.ts";
import type { DType, NumericArray } from "../../core/tensor/tensor.ts";

/** Element storage of f32 tensors: rounded to float32 as on a device, or kept in float64 for finite differences. */
export type Precision = "f32" | "f64";

export function makeArray(elements: number, dtype: DType, precision: Precision): NumericArray {
  if (dtype === "i32") return new Int32Array(elements);
  return precision === "f32" ? new Float32Array(elements) : new Float64Array(elements);
}

/** States as plain typed arrays. */
export class ReferenceMemory implements Memory {
  readonly #states = new Map<string, NumericArray>();
  /** What the numbers of each state are rounded to when they are written. */
  readonly #storages = new Map<string, Storage>();
  readonly #precision: Precision;
  constructor(precision: Precision) {
    this.#precision = precision;
  }

  allocate(name: string, elements: number, type: StateType = "f32"): void {
    const known = this.#states.get(name);
    const storage = type === "i32" ? "f32" : type;
    if (known?.length === elements && this.#storages.get(name) === storage) return;
    this.#states.set(name, makeArray(elements, type === "i32" ? type : "f32", this.#precision));
    this.#storages.set(name, storage);
  }
  has(name: string): boolean {
    return this.#states.has(name);
  }
  names(): string[] {
    return [...this.#states.keys()];
  }
  write(name: string, data: StateArray, first?: number): void {
    const array = this.array(name);
    checkPart(name, array.length, data.length, first);
    array.set(asNumbers(data, this.#storages.get(name)!), first);
  }
  async read(name: string): Promise<HostArray> {
    const array = this.array(name);
    return array instanceof Int32Array ? Int32Array.from(array) : Float32Array.from(array);
  }
  /** The stored elements themselves. */
  array(name: string): NumericArray {
    const array = this.#states.get(name);
    if (!array)
      throw failure("E_SHAPE", `Cannot find state "${name}": the memory holds ${this.names().join(", ") || "none"}`);
    return array;
  }
  get bytes(): number {
    return [...this.#states.values()].reduce((sum, array) => sum + array.byteLength, 0);
  }
  dispose(): void {
    this.#states.clear();
  }
}
