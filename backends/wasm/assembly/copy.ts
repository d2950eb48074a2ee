// Copies of elements of 4 bytes, floats or integers.

import { widen } from "./lib/halves.ts";

/** Copies `count` elements; short runs without a call to the engine's own copy, which costs more than they do. */
@inline
function copyRun(from: usize, to: usize, count: i32): void {
  if (count >= 64) {
    memory.copy(to, from, (<usize>count) << 2);
    return;
  }
  let p = from;
  let q = to;
  let left = count;
  for (; left >= 4; left -= 4) {
    v128.store(q, v128.load(p));
    p += 16;
    q += 16;
  }
  for (; left > 0; left--) {
    store<u32>(q, load<u32>(p));
    p += 4;
    q += 4;
  }
}

/** Writes the same 4 bytes `count` times. */
@inline
function fillRun(to: usize, count: i32, bits: u32): void {
  if (bits == 0 && count >= 64) {
    memory.fill(to, 0, (<usize>count) << 2);
    return;
  }
  for (let i: i32 = 0; i < count; i++) store<u32>(to + ((<usize>i) << 2), bits);
}

/** y = x; an item is an element. */
export function copyElements(start: i32, end: i32, x: usize, y: usize): void {
  const first = (<usize>start) << 2;
  memory.copy(y + first, x + first, ((<usize>end) << 2) - first);
}

/** Rows of `width` elements from rows of `xWidth` to rows of `yWidth`; an item is a row. */
export function copyRows(start: i32, end: i32, x: usize, y: usize, width: i32, xWidth: i32, yWidth: i32): void {
  for (let row = start; row < end; row++) {
    const from = x + (((<usize>row) * (<usize>xWidth)) << 2);
    const to = y + (((<usize>row) * (<usize>yWidth)) << 2);
    copyRun(from, to, width);
  }
}

/** Rows of `width` elements with the element `bits` around them; an item is a row. */
export function padRows(start: i32, end: i32, x: usize, y: usize, width: i32, before: i32, after: i32, bits: u32): void {
  for (let row = start; row < end; row++) {
    const from = x + (((<usize>row) * (<usize>width)) << 2);
    let to = y + (((<usize>row) * (<usize>(before + width + after))) << 2);
    fillRun(to, before, bits);
    to += (<usize>before) << 2;
    copyRun(from, to, width);
    fillRun(to + ((<usize>width) << 2), after, bits);
  }
}

/** y[m] = table[index[m]], the index clamped to 0…V-1; an item is a row of D elements. */
export function takeRows(start: i32, end: i32, table: usize, index: usize, y: usize, V: i32, D: i32, kind: i32): void {
  for (let m = start; m < end; m++) {
    const v = min(max(load<i32>(index + ((<usize>m) << 2)), 0), V - 1);
    const to = y + (((<usize>m) * (<usize>D)) << 2);
    if (kind == 0) copyRun(table + (((<usize>v) * (<usize>D)) << 2), to, D);
    else widen(table + (((<usize>v) * (<usize>D)) << 1), to, D, kind);
  }
}

/**
 * y[v] = Σ x[m] over m with index[m] = v, the index clamped. An item is a tile of `tile` columns of all rows, so that
 * every sum runs in the order of m.
 */
export function addRows(start: i32, end: i32, x: usize, index: usize, y: usize, M: i32, D: i32, V: i32, tile: i32): void {
  for (let item = start; item < end; item++) {
    const first = item * tile;
    const width = min(tile, D - first);
    const at = (<usize>first) << 2;
    for (let v: i32 = 0; v < V; v++) fillRun(y + at + (((<usize>v) * (<usize>D)) << 2), width, 0);
    for (let m: i32 = 0; m < M; m++) {
      const v = min(max(load<i32>(index + ((<usize>m) << 2)), 0), V - 1);
      let p = x + at + (((<usize>m) * (<usize>D)) << 2);
      let q = y + at + (((<usize>v) * (<usize>D)) << 2);
      let left = width;
      for (; left >= 4; left -= 4) {
        v128.store(q, f32x4.add(v128.load(q), v128.load(p)));
        p += 16;
        q += 16;
      }
      for (; left > 0; left--) {
        store<f32>(q, load<f32>(q) + load<f32>(p));
        p += 4;
        q += 4;
      }
    }
  }
}
