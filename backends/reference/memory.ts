import { failure } from "../../core/errors.ts";
import type { HostArray, Memory } from "../../core/interfaces/backend.ts";
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
  readonly #precision: Precision;
  constructor(precision: Precision) {
    this.#precision = precision;
  }

  allocate(name: string, elements: number, dtype: DType = "f32"): void {
    const known = this.#states.get(name);
    if (known?.length === elements) return;
    this.#states.set(name, makeArray(elements, dtype, this.#precision));
  }
  has(name: string): boolean {
    return this.#states.has(name);
  }
  names(): string[] {
    return [...this.#states.keys()];
  }
  write(name: string, data: ArrayLike<number>): void {
    const array = this.array(name);
    if (array.length !== data.length)
      throw failure("E_SHAPE", `Cannot write state "${name}": ${data.length} elements, expected ${array.length}`);
    array.set(data);
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
