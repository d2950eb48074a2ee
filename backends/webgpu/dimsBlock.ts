import { invariant } from "../../core/errors.ts";
import { encodeDims } from "./dims.ts";
import { DIMS_SLOT } from "./dispatch.ts";
import type { DimValue } from "./kernel.ts";
import type { KernelSource } from "./kernelSource.ts";

/** The `Dims` of all dispatches of a program, in slots of one uniform buffer; equal ones share a slot. */
export class DimsBlock {
  #view = new DataView(new ArrayBuffer(16 * DIMS_SLOT));
  #end = 0;
  readonly #known = new Map<string, number>();

  /** Writes a struct and returns the byte at which it starts. */
  add(kernel: KernelSource, values: Readonly<Record<string, DimValue>>): number {
    const { dims: layout, name } = kernel;
    if (!layout) {
      invariant(Object.keys(values).length === 0, `${name} has no Dims`);
      return 0;
    }
    this.#reserve(layout.bytes);
    const start = this.#end;
    encodeDims(name, layout, values, this.#view, start);
    const words = new Uint32Array(this.#view.buffer, start, layout.bytes / 4).slice();
    const key = words.join();
    const known = this.#known.get(key);
    if (known !== undefined) {
      new Uint8Array(this.#view.buffer, start, layout.bytes).fill(0);
      return known;
    }
    this.#known.set(key, start);
    this.#end += Math.ceil(layout.bytes / DIMS_SLOT) * DIMS_SLOT;
    return start;
  }

  /** All slots so far. */
  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#view.buffer.slice(0, Math.max(DIMS_SLOT, this.#end)) as ArrayBuffer);
  }

  #reserve(bytes: number): void {
    const needed = this.#end + Math.ceil(bytes / DIMS_SLOT) * DIMS_SLOT;
    if (needed <= this.#view.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#view.byteLength));
    grown.set(new Uint8Array(this.#view.buffer));
    this.#view = new DataView(grown.buffer);
  }
}
