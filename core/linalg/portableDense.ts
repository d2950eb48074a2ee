import type { Dense, Matrix } from "./dense.ts";

/** Products that are summed before the sum goes to the result, as in assembly/dense.ts. */
const DEPTH = 256;

/** `Dense` in plain TypeScript, with the bits of the kernels in assembly/: the same sums in the same order. */
export class PortableDense implements Dense {
  readonly data: Float64Array;

  constructor(elements: number) {
    this.data = new Float64Array(elements);
  }

  multiply(c: Matrix, a: Matrix, b: Matrix, { subtract = false, lower = false } = {}): void {
    const { data } = this;
    for (let first = 0; first < a.columns; first += DEPTH) {
      const end = Math.min(a.columns, first + DEPTH);
      for (let i = 0; i < c.rows; i++)
        for (let j = 0; j < (lower ? Math.min(i + 1, c.columns) : c.columns); j++) {
          let sum = 0;
          let aAt = a.at + i * a.rowStep + first * a.columnStep;
          let bAt = b.at + j * b.columnStep + first * b.rowStep;
          for (let k = first; k < end; k++) {
            sum += data[aAt] * data[bAt];
            aAt += a.columnStep;
            bAt += b.rowStep;
          }
          data[c.at + i * c.rowStep + j] += subtract ? -sum : sum;
        }
    }
  }

  timesColumn(a: Matrix, v: number, out: number): void {
    const { data } = this;
    const whole = a.columns - (a.columns % 4);
    for (let i = 0; i < a.rows; i++) {
      const row = a.at + i * a.rowStep;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let j = 0; j < whole; j += 4) {
        s0 += data[row + j] * data[v + j];
        s1 += data[row + j + 1] * data[v + j + 1];
        s2 += data[row + j + 2] * data[v + j + 2];
        s3 += data[row + j + 3] * data[v + j + 3];
      }
      let sum = s0 + s2 + (s1 + s3);
      for (let j = whole; j < a.columns; j++) sum += data[row + j] * data[v + j];
      data[out + i] = sum;
    }
  }

  rowTimes(u: number, a: Matrix, out: number): void {
    const { data } = this;
    data.fill(0, out, out + a.columns);
    const whole = a.rows - (a.rows % 4);
    for (let i = 0; i < whole; i += 4) {
      const row = a.at + i * a.rowStep;
      const [u0, u1, u2, u3] = data.subarray(u + i, u + i + 4);
      for (let j = 0; j < a.columns; j++) {
        let sum = u0 * data[row + j];
        sum += u1 * data[row + a.rowStep + j];
        sum += u2 * data[row + 2 * a.rowStep + j];
        sum += u3 * data[row + 3 * a.rowStep + j];
        data[out + j] += sum;
      }
    }
    for (let i = whole; i < a.rows; i++) {
      const row = a.at + i * a.rowStep;
      for (let j = 0; j < a.columns; j++) data[out + j] += data[u + i] * data[row + j];
    }
  }
}
