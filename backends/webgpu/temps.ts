import type { Place } from "../../core/graph/mod.ts";
import type { Storage } from "../../core/tensor/storage.ts";
import type { DType } from "../../core/tensor/tensor.ts";
import type { BufferNeed } from "./dispatch.ts";

/** A temporary, which grows while steps ask for it. */
interface Temp {
  readonly kind: "temp";
  readonly name: string;
  readonly dtype: DType;
  readonly storage: Storage;
  elements: number;
}

/** Temporaries of single steps. All steps share them: a step's are free again when it is done. */
export class Temps {
  /** The plan's buffers, and the temporaries behind them. */
  readonly buffers: BufferNeed[];
  readonly #first: number;
  readonly #used = new Set<number>();

  constructor(planned: readonly BufferNeed[]) {
    this.buffers = [...planned];
    this.#first = planned.length;
  }

  /** Begins a step. */
  reset(): void {
    this.#used.clear();
  }

  /** A place that nothing else in this step uses. */
  take(elements: number, dtype: DType, storage: Storage): Place {
    const free = (need: BufferNeed, i: number): boolean =>
      i >= this.#first && !this.#used.has(i) && need.dtype === dtype && need.storage === storage;
    let buffer = this.buffers.findIndex(free);
    if (buffer < 0) {
      const name = `temp ${this.buffers.length - this.#first}`;
      buffer = this.buffers.push({ kind: "temp", name, dtype, storage, elements: 0 }) - 1;
    }
    const temp = this.buffers[buffer] as Temp;
    temp.elements = Math.max(temp.elements, elements);
    this.#used.add(buffer);
    return { buffer, offset: 0 };
  }
}
