import { add, constantArray, exp, mul, random, reshape, slice, takeRows, toFloat, toInt } from "../ops/mod.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * The random draws of one program. Every call is a stream of its own, so the order of calls is part of a run's identity:
 * same program, same seed, same step, same numbers.
 */
export class NoiseSource {
  readonly #key: Tensor;
  #stream: number;
  readonly #rows: Tensor | undefined;
  /**
   * @param firstStream tells the programs of a run apart; leave room for as many draws as a program makes
   * @param rows places in the whole batch of the rows that are drawn, i32, where a program has only a part of the batch. It
   *   gets the numbers that the whole batch would get, so a gradient gathered in parts is that of the whole batch
   */
  constructor(key: Tensor, firstStream = 0, rows?: Tensor) {
    this.#key = key;
    this.#stream = firstStream;
    this.#rows = rows;
  }

  /** The number of the step that draws, from 0 in every stage, [1]: for what changes over a run, such as a warm-up. */
  get step(): Tensor {
    return toFloat(slice(this.#key, { axis: 0, start: 2, end: 3 }));
  }
  /** ε ~ N(0, I). */
  normal(shape: Shape): Tensor {
    const stream = this.#stream++;
    return random(this.#key, { distribution: "normal", stream, shape }, this.#rows);
  }
  normalLike(x: Tensor): Tensor {
    return this.normal(x.shape);
  }
  /** In [0, 1). */
  uniform(shape: Shape): Tensor {
    const stream = this.#stream++;
    return random(this.#key, { distribution: "uniform", stream, shape }, this.#rows);
  }
  /** Integers low…high−1, each as likely. */
  integers(count: number, low: number, high: number): Tensor {
    return integersFrom(this.uniform([count]), low, high);
  }
  /** One integer low…high−1 for the whole batch, the same in all its parts. → [1] */
  commonInteger(low: number, high: number): Tensor {
    const stream = this.#stream++;
    const drawn = random(this.#key, { distribution: "uniform", stream, shape: [1] });
    return integersFrom(drawn, low, high);
  }
  /** Levels of a table, indices low…high−1 equally likely. → [count] */
  fromGrid(grid: readonly number[], count: number, low = 0, high: number = grid.length): Tensor {
    const table = constantArray(grid, [grid.length, 1]);
    return reshape(takeRows(table, this.integers(count, low, high)), [count]);
  }
  /** ln σ ~ N(mean, deviation²), EDM's training distribution. → [count] */
  logNormal(count: number, mean: number, deviation: number): Tensor {
    return exp(add(mul(this.normal([count]), deviation), mean));
  }
}

/** The offset is added as an integer: in float32 the sum could round up to `high`. */
const integersFrom = (uniform: Tensor, low: number, high: number): Tensor => add(toInt(mul(uniform, high - low)), low);
