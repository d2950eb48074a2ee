import { NoiseSource } from "../../diffusion/noiseSource.ts";
import { add, mul, reshape, takeRows, toInt } from "../../ops/mod.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * The draws of one part of a batch: those that the whole batch would get, and of these the part's rows. So a gradient that
 * is gathered in parts is that of the whole batch, whatever the number of parts.
 */
export class PartNoise extends NoiseSource {
  readonly #rows: Tensor;
  readonly #parts: number;
  /** @param rows places in the batch, i32 [batch / parts] */
  constructor(key: Tensor, firstStream: number, rows: Tensor, parts: number) {
    super(key, firstStream);
    this.#rows = rows;
    this.#parts = parts;
  }
  override normal(shape: Shape): Tensor {
    return this.#own(super.normal(this.#whole(shape)), shape);
  }
  override uniform(shape: Shape): Tensor {
    return this.#own(super.uniform(this.#whole(shape)), shape);
  }
  /** The same for all parts. */
  override commonInteger(low: number, high: number): Tensor {
    return add(toInt(mul(super.uniform([1]), high - low)), low);
  }
  #whole([size, ...sample]: Shape): Shape {
    return [size * this.#parts, ...sample];
  }
  #own(drawn: Tensor, shape: Shape): Tensor {
    return rowsOf(drawn, this.#rows, shape);
  }
}

/** Rows of a tensor [batch, …] by their places → shape, [rows, …]. */
export function rowsOf(x: Tensor, rows: Tensor, shape: Shape): Tensor {
  const width = sizeOf(shape) / shape[0];
  return reshape(takeRows(reshape(x, [sizeOf(x.shape) / width, width]), rows), shape);
}
