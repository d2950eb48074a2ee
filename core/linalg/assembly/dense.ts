// Dense products in float64, two lanes at a time. Lanes and tiles lie across results, and products are rounded before they
// are added: every result is the same sum in the same order as in portableDense.ts, the same bits on any machine.

/** Results of a tile along both axes: 8 sums, 2 vectors of b, a factor and a product fit the 15 registers that V8 has. */
const TILE: i32 = 4;
/** Products that are summed before the sum goes to the result: two panels of such depth fit the first-level cache. */
const DEPTH: i32 = 256;
/** Rows of a that are packed at a time: 128 KB. */
const ROWS: i32 = 64;
/** Columns of b that are packed at a time: 1 MB. */
const COLUMNS: i32 = 512;

/** Bytes of space that `multiply` packs its operands in. */
export function multiplySpace(): i32 {
  return (DEPTH * (ROWS + COLUMNS) + TILE * TILE) * 8;
}

/** Panels of four rows: [depth][4], zeros behind the last row. Steps are in bytes. */
function pack(from: usize, rowStep: usize, depthStep: usize, rows: i32, depth: i32, to: usize): void {
  for (let row = 0; row < rows; row += TILE) {
    const there = min(TILE, rows - row);
    for (let k = 0; k < depth; k++) {
      let at = from + <usize>row * rowStep + <usize>k * depthStep;
      for (let i = 0; i < TILE; i++) {
        store<f64>(to, i < there ? load<f64>(at) : 0);
        at += rowStep;
        to += 8;
      }
    }
  }
}

@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return f64x2.add(c, f64x2.mul(a, b));
}

@inline
function put(c: usize, low: v128, high: v128, sign: v128): void {
  v128.store(c, madd(low, sign, v128.load(c)));
  v128.store(c, madd(high, sign, v128.load(c, 16)), 16);
}

/** c [4, 4] ± the product of two panels. */
function tile(depth: i32, a: usize, b: usize, c: usize, cStep: usize, sign: f64): void {
  let c00 = f64x2.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load64_splat(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load64_splat(a, 8);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load64_splat(a, 16);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load64_splat(a, 24);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    a += 32;
    b += 32;
  }
  const signs = f64x2.splat(sign);
  put(c, c00, c01, signs);
  c += cStep;
  put(c, c10, c11, signs);
  c += cStep;
  put(c, c20, c21, signs);
  c += cStep;
  put(c, c30, c31, signs);
}

/** A tile that hangs over the border of c. */
function partOfTile(
  depth: i32,
  a: usize,
  b: usize,
  c: usize,
  cStep: usize,
  sign: f64,
  rows: i32,
  columns: i32,
  space: usize,
): void {
  memory.fill(space, 0, TILE * TILE * 8);
  tile(depth, a, b, space, TILE * 8, sign);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const at = c + <usize>i * cStep + ((<usize>j) << 3);
      store<f64>(at, load<f64>(at) + load<f64>(space + ((<usize>(i * TILE + j)) << 3)));
    }
}

/**
 * c [m, n] += sign · a [m, depth] · b [depth, n], `sign` 1 or -1. Steps are in bytes, columns of c lie side by side. With
 * `lower`, what is above the diagonal of c is left as it is or becomes anything.
 */
export function multiply(
  c: usize,
  cStep: usize,
  a: usize,
  aRow: usize,
  aColumn: usize,
  b: usize,
  bRow: usize,
  bColumn: usize,
  m: i32,
  n: i32,
  depth: i32,
  sign: f64,
  lower: bool,
  space: usize,
): void {
  const aPanels = space + TILE * TILE * 8;
  const bPanels = aPanels + ROWS * DEPTH * 8;
  for (let left = 0; left < n; left += COLUMNS) {
    const columns = min(COLUMNS, n - left);
    for (let k = 0; k < depth; k += DEPTH) {
      const deep = min(DEPTH, depth - k);
      const panel = (<usize>(deep * TILE)) << 3;
      pack(b + <usize>left * bColumn + <usize>k * bRow, bColumn, bRow, columns, deep, bPanels);
      for (let top = 0; top < m; top += ROWS) {
        const rows = min(ROWS, m - top);
        if (lower && top + rows <= left) continue;
        pack(a + <usize>top * aRow + <usize>k * aColumn, aRow, aColumn, rows, deep, aPanels);
        for (let j = 0; j < columns; j += TILE)
          for (let i = 0; i < rows; i += TILE) {
            if (lower && top + i + TILE <= left + j) continue;
            const aAt = aPanels + <usize>(i / TILE) * panel;
            const bAt = bPanels + <usize>(j / TILE) * panel;
            const to = c + <usize>(top + i) * cStep + ((<usize>(left + j)) << 3);
            if (i + TILE <= rows && j + TILE <= columns) tile(deep, aAt, bAt, to, cStep, sign);
            else partOfTile(deep, aAt, bAt, to, cStep, sign, min(TILE, rows - i), min(TILE, columns - j), space);
          }
      }
    }
  }
}

/** Sum of four lanes in two vectors. */
@inline
function total(low: v128, high: v128): f64 {
  const both = f64x2.add(low, high);
  return f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
}

/** One row of `timesColumn`, from column `j` on added to `sum`. */
@inline
function rest(row: usize, v: usize, j: i32, columns: i32, sum: f64): f64 {
  for (; j < columns; j++) sum += load<f64>(row + ((<usize>j) << 3)) * load<f64>(v + ((<usize>j) << 3));
  return sum;
}

/** out [rows] = a [rows, columns] · v [columns]. */
export function timesColumn(a: usize, step: usize, rows: i32, columns: i32, v: usize, out: usize): void {
  const whole = columns & ~3;
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    const row0 = a + <usize>i * step;
    const row1 = row0 + step;
    const row2 = row1 + step;
    const row3 = row2 + step;
    let s00 = f64x2.splat(0);
    let s01 = s00;
    let s10 = s00;
    let s11 = s00;
    let s20 = s00;
    let s21 = s00;
    let s30 = s00;
    let s31 = s00;
    for (let j = 0; j < whole; j += 4) {
      const at = (<usize>j) << 3;
      const v0 = v128.load(v + at);
      const v1 = v128.load(v + at, 16);
      s00 = madd(v128.load(row0 + at), v0, s00);
      s01 = madd(v128.load(row0 + at, 16), v1, s01);
      s10 = madd(v128.load(row1 + at), v0, s10);
      s11 = madd(v128.load(row1 + at, 16), v1, s11);
      s20 = madd(v128.load(row2 + at), v0, s20);
      s21 = madd(v128.load(row2 + at, 16), v1, s21);
      s30 = madd(v128.load(row3 + at), v0, s30);
      s31 = madd(v128.load(row3 + at, 16), v1, s31);
    }
    const to = out + ((<usize>i) << 3);
    store<f64>(to, rest(row0, v, whole, columns, total(s00, s01)));
    store<f64>(to, rest(row1, v, whole, columns, total(s10, s11)), 8);
    store<f64>(to, rest(row2, v, whole, columns, total(s20, s21)), 16);
    store<f64>(to, rest(row3, v, whole, columns, total(s30, s31)), 24);
  }
  for (; i < rows; i++) {
    const row = a + <usize>i * step;
    let s0 = f64x2.splat(0);
    let s1 = s0;
    for (let j = 0; j < whole; j += 4) {
      const at = (<usize>j) << 3;
      s0 = madd(v128.load(row + at), v128.load(v + at), s0);
      s1 = madd(v128.load(row + at, 16), v128.load(v + at, 16), s1);
    }
    store<f64>(out + ((<usize>i) << 3), rest(row, v, whole, columns, total(s0, s1)));
  }
}

/** out [columns] = u [rows] · a [rows, columns]. */
export function rowTimes(u: usize, a: usize, step: usize, rows: i32, columns: i32, out: usize): void {
  memory.fill(out, 0, (<usize>columns) << 3);
  const pairs = columns & ~1;
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    const row0 = a + <usize>i * step;
    const row1 = row0 + step;
    const row2 = row1 + step;
    const row3 = row2 + step;
    const u0 = v128.load64_splat(u + ((<usize>i) << 3));
    const u1 = v128.load64_splat(u + ((<usize>i) << 3), 8);
    const u2 = v128.load64_splat(u + ((<usize>i) << 3), 16);
    const u3 = v128.load64_splat(u + ((<usize>i) << 3), 24);
    for (let j = 0; j < pairs; j += 2) {
      const at = (<usize>j) << 3;
      let sum = f64x2.mul(u0, v128.load(row0 + at));
      sum = madd(u1, v128.load(row1 + at), sum);
      sum = madd(u2, v128.load(row2 + at), sum);
      sum = madd(u3, v128.load(row3 + at), sum);
      v128.store(out + at, f64x2.add(v128.load(out + at), sum));
    }
    if (pairs < columns) {
      const at = (<usize>pairs) << 3;
      let sum = f64x2.extract_lane(u0, 0) * load<f64>(row0 + at);
      sum += f64x2.extract_lane(u1, 0) * load<f64>(row1 + at);
      sum += f64x2.extract_lane(u2, 0) * load<f64>(row2 + at);
      sum += f64x2.extract_lane(u3, 0) * load<f64>(row3 + at);
      store<f64>(out + at, load<f64>(out + at) + sum);
    }
  }
  for (; i < rows; i++) {
    const row = a + <usize>i * step;
    const factor = load<f64>(u + ((<usize>i) << 3));
    for (let j = 0; j < columns; j++) {
      const at = (<usize>j) << 3;
      store<f64>(out + at, load<f64>(out + at) + factor * load<f64>(row + at));
    }
  }
}
