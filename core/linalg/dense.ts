import { dense as kernels } from "./dense.generated.ts";
import { PortableDense } from "./portableDense.ts";

/** Where a matrix lies in `Dense.data`: element (i, j) is at `at + i · rowStep + j · columnStep`. */
export interface Matrix {
  readonly at: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** Products of float64 matrices that lie in one block of memory, with the same bits whoever computes them. */
export interface Dense {
  /** What matrices are places in. */
  readonly data: Float64Array;
  /**
   * c ± a · b; columns of c lie side by side. With `lower`, what is above the diagonal of c may become anything. `c` overlaps
   * neither a nor b.
   */
  multiply(c: Matrix, a: Matrix, b: Matrix, options?: { readonly subtract?: boolean; readonly lower?: boolean }): void;
  /** `out` [rows] ← a · v, where v [columns] begins at `v`; columns of a lie side by side. */
  timesColumn(a: Matrix, v: number, out: number): void;
  /** `out` [columns] ← u · a, where u [rows] begins at `u`; columns of a lie side by side. */
  rowTimes(u: number, a: Matrix, out: number): void;
}

/** A matrix stored row by row from `at` on. */
export const matrixAt = (at: number, rows: number, columns: number): Matrix => ({
  at,
  rows,
  columns,
  rowStep: columns,
  columnStep: 1,
});

/** The same numbers with rows and columns exchanged; nothing is copied. */
export const transposed = ({ at, rows, columns, rowStep, columnStep }: Matrix): Matrix => ({
  at,
  rows: columns,
  columns: rows,
  rowStep: columnStep,
  columnStep: rowStep,
});

/** The part of a matrix from row `top` and column `left` on; to the end unless told how much. */
export const partOf = (
  { at, rows, columns, rowStep, columnStep }: Matrix,
  top: number,
  left: number,
  size: { readonly rows?: number; readonly columns?: number } = {},
): Matrix => ({
  at: at + top * rowStep + left * columnStep,
  rows: size.rows ?? rows - top,
  columns: size.columns ?? columns - left,
  rowStep,
  columnStep,
});

/**
 * Memory for so many elements, all zero, and what computes on it: WebAssembly, or plain TypeScript where the engine has no
 * SIMD or a page does not allow to compile.
 */
export async function openDense(elements: number): Promise<Dense> {
  const bytes = Uint8Array.from(atob(kernels), (letter) => letter.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) return new PortableDense(elements);
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(bytes);
  } catch {
    return new PortableDense(elements); // a page's security policy
  }
  return WasmDense.on(module, elements);
}

const PAGE = 65536;

/** What core/linalg/assembly exports. */
interface Exports {
  multiplySpace(): number;
  multiply(...numbers: number[]): void;
  timesColumn(...numbers: number[]): void;
  rowTimes(...numbers: number[]): void;
}

/** Positions become addresses: everything in bytes. */
class WasmDense implements Dense {
  readonly data: Float64Array;
  readonly #run: Exports;
  readonly #space: number;

  private constructor(data: Float64Array, run: Exports) {
    this.data = data;
    this.#run = run;
    this.#space = 8 * data.length;
  }

  static async on(module: WebAssembly.Module, elements: number): Promise<WasmDense> {
    const memory = new WebAssembly.Memory({ initial: Math.ceil((8 * elements) / PAGE) + 1 });
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    const run = exports as unknown as Exports;
    memory.grow(Math.ceil(run.multiplySpace() / PAGE));
    return new WasmDense(new Float64Array(memory.buffer, 0, elements), run);
  }

  multiply(c: Matrix, a: Matrix, b: Matrix, { subtract = false, lower = false } = {}): void {
    this.#run.multiply(
      8 * c.at,
      8 * c.rowStep,
      8 * a.at,
      8 * a.rowStep,
      8 * a.columnStep,
      8 * b.at,
      8 * b.rowStep,
      8 * b.columnStep,
      c.rows,
      c.columns,
      a.columns,
      subtract ? -1 : 1,
      Number(lower),
      this.#space,
    );
  }
  timesColumn(a: Matrix, v: number, out: number): void {
    this.#run.timesColumn(8 * a.at, 8 * a.rowStep, a.rows, a.columns, 8 * v, 8 * out);
  }
  rowTimes(u: number, a: Matrix, out: number): void {
    this.#run.rowTimes(8 * u, 8 * a.at, 8 * a.rowStep, a.rows, a.columns, 8 * out);
  }
}
