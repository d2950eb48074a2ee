import { type Dense, type Matrix, matrixAt, partOf, transposed } from "./dense.ts";
import type { Progress } from "./factorise.ts";
import { tridiagonalEigenvalues } from "./symmetricEigen.ts";

/** Columns that are reduced before the rest of the matrix is brought up to date. */
const BLOCK = 32;

/** Elements that `singularValues` needs besides an m × n matrix. */
export const singularSpace = (m: number, n: number): number => (2 * BLOCK + 1) * (m + n) + 2 * BLOCK;

/**
 * Singular values [n] of `a` [m, n], m ≥ n, rising. `a` becomes anything; from `space` on there are `singularSpace` elements.
 * Errors are some 10⁻¹⁶ of the largest value, of the small ones too: nothing is squared.
 * Throws RangeError when an entry is not finite.
 *
 * Reflections from both sides make the matrix bidiagonal; its singular values are the positive eigenvalues of a tridiagonal
 * matrix of twice the size without a diagonal. Golub and Van Loan, Matrix Computations, §8.6; in blocks as Dongarra, Sorensen
 * and Hammarling, Block reduction of matrices to condensed forms, 1989.
 */
export async function singularValues(
  dense: Dense,
  a: Matrix,
  space: number,
  progress: Progress,
): Promise<Float64Array> {
  const n = a.columns;
  const scale = scaled(dense, a);
  if (scale === 0) return new Float64Array(n);
  const reduction = new Reduction(dense, a, space);
  /** d₁ e₁ d₂ e₂ … dₙ: the bidiagonal matrix, row by row. */
  const beside = new Float64Array(2 * n);
  for (let first = 0; first < n; first += BLOCK) {
    await progress(first, n);
    const end = Math.min(n, first + BLOCK);
    for (let i = first; i < end; i++) {
      beside[2 * i] = reduction.column(i);
      if (i + 1 < n) beside[2 * i + 1] = reduction.row(i);
    }
    reduction.settle(end);
  }
  const both = tridiagonalEigenvalues(new Float64Array(2 * n), beside);
  return both.subarray(n).map((value) => Math.max(0, value) * scale);
}

/** Divides by the power of two that makes the largest entry 1 to 2, and returns it; 0 for a matrix of zeros. */
function scaled({ data }: Dense, { at, rows, columns, rowStep }: Matrix): number {
  let largest = 0;
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const value = data[at + i * rowStep + j];
      if (!Number.isFinite(value))
        throw new RangeError(`Cannot decompose a matrix: entry (${i}, ${j}) is ${value}, should be finite`);
      largest = Math.max(largest, Math.abs(value));
    }
  if (largest === 0) return 0;
  const scale = 2 ** Math.max(-1022, Math.floor(Math.log2(largest)));
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[at + i * rowStep + j] /= scale;
  return scale;
}

/** Squared lengths below this count as 0: entries are about 1, and 2 over a smaller one would overflow. */
const LEAST = 1e-290;

/** A matrix on its way to a bidiagonal one. It is A - Lᵀ R: A as it was when the block began, and changes since. */
class Reduction {
  readonly #dense: Dense;
  readonly #a: Matrix;
  /** Room for L [2 BLOCK, m] and R [2 BLOCK, n]: a row each for every reflection of the block. */
  readonly #l: Matrix;
  readonly #r: Matrix;
  #changes = 0;
  /** Room for 2 BLOCK coefficients, and for a row or a column. */
  readonly #coefficients: number;
  readonly #vector: number;

  constructor(dense: Dense, a: Matrix, space: number) {
    this.#dense = dense;
    this.#a = a;
    this.#l = matrixAt(space, 2 * BLOCK, a.rows);
    this.#r = matrixAt(space + 2 * BLOCK * a.rows, 2 * BLOCK, a.columns);
    this.#coefficients = space + 2 * BLOCK * (a.rows + a.columns);
    this.#vector = this.#coefficients + 2 * BLOCK;
  }

  /** Reflects column i to its entry on the diagonal, which it returns: A ← A - u yᵀ with y = β Aᵀ u. */
  column(i: number): number {
    const { data } = this.#dense;
    const [a, l, r] = [this.#a, this.#l, this.#r];
    const [u, y] = [l, r].map(({ at, columns }) => at + this.#changes * columns);
    this.#mixed(this.#entries(r, i), l, i);
    for (let k = i; k < a.rows; k++) data[u + k] = data[a.at + k * a.rowStep + i] - data[this.#vector + k];
    const { entry, beta } = this.#reflector(u, i, a.rows);
    this.#dense.rowTimes(u + i, partOf(a, i, i + 1), y + i + 1);
    this.#change(y, i + 1, beta, this.#products(l, i, u), r);
    return entry;
  }

  /** Reflects row i to its entry beside the diagonal, which it returns: A ← A - x vᵀ with x = β A v. */
  row(i: number): number {
    const { data } = this.#dense;
    const [a, l, r] = [this.#a, this.#l, this.#r];
    const [x, v] = [l, r].map(({ at, columns }) => at + this.#changes * columns);
    this.#mixed(this.#entries(l, i), r, i + 1);
    for (let j = i + 1; j < a.columns; j++) data[v + j] = data[a.at + i * a.rowStep + j] - data[this.#vector + j];
    const { entry, beta } = this.#reflector(v, i + 1, a.columns);
    this.#dense.timesColumn(partOf(a, i + 1, i + 1), v + i + 1, x + i + 1);
    this.#change(x, i + 1, beta, this.#products(r, i + 1, v), l);
    return entry;
  }

  /** Makes the changes of a block in rows and columns from `end` on. */
  settle(end: number): void {
    const changes = { rows: this.#changes };
    const [left, right] = [this.#l, this.#r].map((each) => partOf(each, 0, end, changes));
    this.#dense.multiply(partOf(this.#a, end, end), transposed(left), right, { subtract: true });
    this.#changes = 0;
  }

  /** Entry `i` of every row of L or R, as coefficients. */
  #entries({ at, rowStep }: Matrix, i: number): number {
    const { data } = this.#dense;
    for (let p = 0; p < this.#changes; p++) data[this.#coefficients + p] = data[at + p * rowStep + i];
    return this.#coefficients;
  }

  /** Products of every row of L or R with a vector, from entry `first` on, as coefficients. */
  #products(side: Matrix, first: number, vector: number): number {
    this.#dense.timesColumn(partOf(side, 0, first, { rows: this.#changes }), vector + first, this.#coefficients);
    return this.#coefficients;
  }

  /** The rows of L or R with these coefficients, added up from entry `first` on. */
  #mixed(coefficients: number, side: Matrix, first: number): void {
    this.#dense.rowTimes(coefficients, partOf(side, 0, first, { rows: this.#changes }), this.#vector + first);
  }

  /** Ends a reflection: the product with the block's first matrix becomes that with today's, times β. */
  #change(product: number, first: number, beta: number, coefficients: number, side: Matrix): void {
    const { data } = this.#dense;
    this.#mixed(coefficients, side, first);
    for (let j = first; j < side.columns; j++) data[product + j] = beta * (data[product + j] - data[this.#vector + j]);
    data.fill(0, product, product + first);
    this.#changes++;
  }

  /** Makes a vector, from entry `first` on, the v of H = 1 - β v vᵀ that turns it to its first entry; zeros before. */
  #reflector(vector: number, first: number, end: number): { readonly entry: number; readonly beta: number } {
    const { data } = this.#dense;
    let squares = 0;
    for (let k = first; k < end; k++) squares += data[vector + k] ** 2;
    const flat = squares < LEAST;
    data.fill(0, vector, vector + (flat ? end : first));
    if (flat) return { entry: 0, beta: 0 };
    const head = data[vector + first];
    const entry = head > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    data[vector + first] = head - entry; // opposite signs, so nothing cancels
    return { entry, beta: 1 / (squares - entry * head) };
  }
}
