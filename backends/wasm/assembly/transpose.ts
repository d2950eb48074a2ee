// Axes in another order, for elements of 4 bytes. Up to four outer axes (sizes n, strides in elements of x and of y)
// enclose either rows that stay contiguous, or a matrix whose rows become columns.

/** Offset of outer index `index` in elements. */
@inline
function offsetOf(index: i32, n1: i32, n2: i32, n3: i32, s0: i32, s1: i32, s2: i32, s3: i32): i32 {
  let rest = index;
  const i3 = rest % n3;
  rest /= n3;
  const i2 = rest % n2;
  rest /= n2;
  const i1 = rest % n1;
  const i0 = rest / n1;
  return i0 * s0 + i1 * s1 + i2 * s2 + i3 * s3;
}

/** Rows of `width` elements; an item is a row. */
export function permuteRows(
  start: i32, end: i32, x: usize, y: usize, width: i32,
  n1: i32, n2: i32, n3: i32,
  x0: i32, x1: i32, x2: i32, x3: i32,
): void {
  for (let item = start; item < end; item++) {
    const from = x + ((<usize>offsetOf(item, n1, n2, n3, x0, x1, x2, x3)) << 2);
    const to = y + (((<usize>item) * (<usize>width)) << 2);
    if (width >= 64) memory.copy(to, from, (<usize>width) << 2);
    else for (let i: i32 = 0; i < width; i++) store<u32>(to + ((<usize>i) << 2), load<u32>(from + ((<usize>i) << 2)));
  }
}

/** Rows of Q in one item: a cache line of x. */
const TILE: i32 = 16;

/**
 * Matrices: x has Q contiguous and P `xP` elements apart, y has P contiguous and Q `yQ` apart. An item is 16 of Q with
 * all of P.
 */
export function permuteMatrices(
  start: i32, end: i32, x: usize, y: usize, P: i32, Q: i32, xP: i32, yQ: i32,
  n1: i32, n2: i32, n3: i32,
  x0: i32, x1: i32, x2: i32, x3: i32,
  y0: i32, y1: i32, y2: i32, y3: i32,
): void {
  const tiles = (Q + TILE - 1) / TILE;
  const xs = (<usize>xP) << 2;
  const ys = (<usize>yQ) << 2;
  for (let item = start; item < end; item++) {
    const outer = item / tiles;
    const first = (item - outer * tiles) * TILE;
    const last = min(first + TILE, Q);
    const from = x + ((<usize>offsetOf(outer, n1, n2, n3, x0, x1, x2, x3)) << 2);
    const to = y + ((<usize>offsetOf(outer, n1, n2, n3, y0, y1, y2, y3)) << 2);
    // Squares of 16 × 16: whole cache lines of y are written one after the other, however far apart its rows lie.
    for (let p0: i32 = 0; p0 < P; p0 += TILE) {
      const p1 = min(p0 + TILE, P);
      let q = first;
      for (; q + 4 <= last; q += 4) {
        let p = p0;
        let f = from + (<usize>p) * xs + ((<usize>q) << 2);
        let t = to + (<usize>q) * ys + ((<usize>p) << 2);
        for (; p + 4 <= p1; p += 4) {
          const a = v128.load(f);
          const b = v128.load(f + xs);
          const c = v128.load(f + 2 * xs);
          const d = v128.load(f + 3 * xs);
          const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
          const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
          const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
          const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
          v128.store(t, v128.shuffle<i64>(ab0, cd0, 0, 2));
          v128.store(t + ys, v128.shuffle<i64>(ab0, cd0, 1, 3));
          v128.store(t + 2 * ys, v128.shuffle<i64>(ab1, cd1, 0, 2));
          v128.store(t + 3 * ys, v128.shuffle<i64>(ab1, cd1, 1, 3));
          f += 4 * xs;
          t += 16;
        }
        for (; p < p1; p++)
          for (let i: i32 = 0; i < 4; i++) move(from, to, p, q + i, xs, ys);
      }
      for (; q < last; q++)
        for (let p = p0; p < p1; p++) move(from, to, p, q, xs, ys);
    }
  }
}

@inline
function move(from: usize, to: usize, p: i32, q: i32, xs: usize, ys: usize): void {
  const value = load<u32>(from + (<usize>p) * xs + ((<usize>q) << 2));
  store<u32>(to + (<usize>q) * ys + ((<usize>p) << 2), value);
}
