/**
 * Eigenvalues and eigenvectors of a real symmetric matrix in float64: Householder reflections to tridiagonal form, then
 * implicit QL with Wilkinson's shift (Golub and Van Loan, Matrix Computations, §8.3).
 */

/** A = Σ valueᵢ vᵢ vᵢᵀ. */
export interface SymmetricEigen {
  /** Eigenvalues [n], rising. */
  readonly values: Float64Array;
  /** Row i [n, n] is the unit eigenvector of `values[i]`. */
  readonly vectors: Float64Array;
}

/** Values and vectors of the symmetric `matrix` [n, n], row-major; its lower triangle is what counts. See below for errors. */
export function symmetricEigen(matrix: ArrayLike<number>, n: number): SymmetricEigen {
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const values = solve(matrix, n, vectors);
  const order = [...values.keys()].sort((i, j) => values[i] - values[j]);
  const sorted = new Float64Array(n * n);
  for (const [rank, i] of order.entries()) sorted.set(vectors.subarray(i * n, (i + 1) * n), rank * n);
  return { values: values.slice().sort(), vectors: sorted };
}

/**
 * Eigenvalues [n] of the symmetric `matrix` [n, n], rising; about a fifth of the work of `symmetricEigen`.
 * Throws RangeError when the matrix has the wrong size or an entry that is not finite.
 */
export function symmetricEigenvalues(matrix: ArrayLike<number>, n: number): Float64Array {
  return solve(matrix, n).sort();
}

/**
 * Eigenvalues [n] of a symmetric tridiagonal matrix, rising. `beside[i]` stands between i and i + 1, and the last one is 0.
 * Both arrays become anything.
 */
export function tridiagonalEigenvalues(diagonal: Float64Array, beside: Float64Array): Float64Array {
  diagonalise(diagonal, beside, diagonal.length);
  return diagonal.sort();
}

function solve(matrix: ArrayLike<number>, n: number, basis?: Float64Array): Float64Array {
  if (matrix.length !== n * n)
    throw new RangeError(
      `Cannot decompose a matrix of ${n} rows: it has ${matrix.length} entries, should have ${n * n}`,
    );
  const a = Float64Array.from(matrix);
  // The QL iteration would never settle on NaN.
  const bad = a.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new RangeError(
      `Cannot decompose a matrix of ${n} rows: entry (${Math.floor(bad / n)}, ${bad % n}) is ${a[bad]}, should be finite`,
    );
  const { diagonal, beside } = tridiagonalise(a, n, basis);
  diagonalise(diagonal, beside, n, basis);
  return diagonal;
}

/**
 * T = Qᵀ A Q with H = I - 2 v vᵀ / vᵀv in turn for every column. `a` is overwritten; `basis`, if given, becomes Qᵀ.
 * → diagonal [n] and the entries beside it, `beside[i]` between i and i + 1, the last one 0.
 */
function tridiagonalise(a: Float64Array, n: number, basis?: Float64Array) {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    diagonal[k] = a[k * n + k];
    const first = k + 1;
    // Dividing by the largest entry keeps the squares away from overflow and underflow.
    let largest = 0;
    for (let i = first; i < n; i++) largest = Math.max(largest, Math.abs(a[i * n + k]));
    if (largest === 0) continue;
    let squares = 0;
    for (let i = first; i < n; i++) {
      v[i] = a[i * n + k] / largest;
      squares += v[i] * v[i];
    }
    const length = v[first] > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    beside[k] = length * largest;
    v[first] -= length; // opposite signs, so nothing cancels
    const beta = 1 / (squares - length * (v[first] + length)); // 2 / vᵀv
    reflectBothSides(a, n, first, v, w, beta);
    if (basis) reflectRows(basis, n, first, v, w, beta);
  }
  if (n > 0) diagonal[n - 1] = a[n * n - 1];
  return { diagonal, beside };
}

/** A ← H A H on the lower triangle of rows and columns `first`…: A - v wᵀ - w vᵀ with w = βAv - ½β²(vᵀAv) v. */
function reflectBothSides(a: Float64Array, n: number, first: number, v: Float64Array, w: Float64Array, beta: number) {
  w.fill(0, first);
  for (let i = first; i < n; i++) {
    let sum = a[i * n + i] * v[i];
    for (let j = first; j < i; j++) {
      sum += a[i * n + j] * v[j];
      w[j] += a[i * n + j] * v[i];
    }
    w[i] += sum;
  }
  let product = 0;
  for (let i = first; i < n; i++) product += v[i] * w[i];
  const shrink = (beta * product) / 2;
  for (let i = first; i < n; i++) w[i] = beta * (w[i] - shrink * v[i]);
  for (let i = first; i < n; i++) for (let j = first; j <= i; j++) a[i * n + j] -= v[i] * w[j] + w[i] * v[j];
}

/** B ← H B; `w` is scratch. */
function reflectRows(b: Float64Array, n: number, first: number, v: Float64Array, w: Float64Array, beta: number) {
  w.fill(0);
  for (let i = first; i < n; i++) for (let j = 0; j < n; j++) w[j] += v[i] * b[i * n + j];
  for (let i = first; i < n; i++) for (let j = 0; j < n; j++) b[i * n + j] -= beta * v[i] * w[j];
}

const maxSweeps = 60; // about two are usual; more than this would be a bug

/** QL on the tridiagonal matrix, in place: `d` becomes the eigenvalues and row i of `basis` the vector of d[i]. */
function diagonalise(d: Float64Array, e: Float64Array, n: number, basis?: Float64Array): void {
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, Math.abs(d[i]) + Math.abs(e[i]));
  if (largest === 0) return;
  // With the largest entry about 1 squares can neither overflow nor lose what counts.
  const scale = 2 ** Math.max(-1022, Math.floor(Math.log2(largest)));
  for (let i = 0; i < n; i++) {
    d[i] /= scale;
    e[i] /= scale;
  }
  // The reduction above has errors of this size already, so smaller entries carry nothing.
  const negligible = (Number.EPSILON * largest) / scale;
  for (let low = 0; low < n; low++)
    for (let sweep = 0; ; sweep++) {
      let high = low;
      while (high < n - 1 && Math.abs(e[high]) > negligible) high++;
      if (high === low) break;
      if (sweep === maxSweeps) throw new Error("onestep bug: the QL iteration does not converge");
      qlSweep(d, e, low, high, n, basis);
    }
  for (let i = 0; i < n; i++) d[i] *= scale;
}

/** One implicit QL step on rows low…high: Givens rotations chase the bulge upwards from the shifted last corner. */
function qlSweep(d: Float64Array, e: Float64Array, low: number, high: number, n: number, basis?: Float64Array) {
  const half = (d[low + 1] - d[low]) / (2 * e[low]);
  const shift = d[low] - e[low] / (half + (half < 0 ? -1 : 1) * Math.hypot(half, 1));
  let corner = d[high] - shift;
  let sine = 1;
  let cosine = 1;
  let taken = 0;
  for (let i = high - 1; i >= low; i--) {
    const bulge = sine * e[i];
    const below = cosine * e[i];
    const length = Math.sqrt(bulge * bulge + corner * corner);
    e[i + 1] = length;
    if (length === 0) {
      // The matrix has split at i + 1; the next sweep works on the upper part alone.
      d[i + 1] -= taken;
      e[high] = 0;
      return;
    }
    sine = bulge / length;
    cosine = corner / length;
    const next = d[i + 1] - taken;
    const mix = (d[i] - next) * sine + 2 * cosine * below;
    taken = sine * mix;
    d[i + 1] = next + taken;
    corner = cosine * mix - below;
    if (basis) rotateRows(basis, n, i, sine, cosine);
  }
  d[low] -= taken;
  e[low] = corner;
  e[high] = 0;
}

/** Rows i and i + 1 ← their rotation. */
function rotateRows(basis: Float64Array, n: number, i: number, sine: number, cosine: number): void {
  for (let at = i * n; at < (i + 1) * n; at++) {
    const upper = basis[at];
    const lower = basis[at + n];
    basis[at + n] = sine * upper + cosine * lower;
    basis[at] = cosine * upper - sine * lower;
  }
}
