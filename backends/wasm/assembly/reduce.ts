// Reductions of x[A, N, C] along N. An item is one block of N for one a, and all C columns or one (C = 1):
// y[A, ceil(N / block), C]. The lowering repeats them until one block is left.
import { maxLanes, sumLanes } from "./lib/simd.ts";
import { WIDE } from "./lib/wide.ts";

/** Elements after which running sums are put aside, so that rounding errors grow with a square root less. */
const RUN: i32 = 512;

/** Sum of `count` floats at `x`, in a fixed order. */
function sumOf(x: usize, count: i32): f32 {
  let total0 = f32x4.splat(0);
  let total1 = f32x4.splat(0);
  let p = x;
  let left = count;
  while (left >= 16) {
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    const run = min(left, RUN) & ~15;
    const end = p + ((<usize>run) << 2);
    do {
      s0 = f32x4.add(s0, v128.load(p));
      s1 = f32x4.add(s1, v128.load(p, 16));
      s2 = f32x4.add(s2, v128.load(p, 32));
      s3 = f32x4.add(s3, v128.load(p, 48));
      p += 64;
    } while (p < end);
    total0 = f32x4.add(total0, f32x4.add(s0, s1));
    total1 = f32x4.add(total1, f32x4.add(s2, s3));
    left -= run;
  }
  let total = sumLanes(f32x4.add(total0, total1));
  for (; left > 0; left--) {
    total += load<f32>(p);
    p += 4;
  }
  return total;
}

/** C = 1. */
export function sumRows(start: i32, end: i32, x: usize, y: usize, N: i32, block: i32): void {
  const blocks = (N + block - 1) / block;
  for (let item = start; item < end; item++) {
    const a = item / blocks;
    const first = (item - a * blocks) * block;
    const from = x + (((<usize>a) * (<usize>N) + (<usize>first)) << 2);
    store<f32>(y + ((<usize>item) << 2), sumOf(from, min(block, N - first)));
  }
}

/** All columns of a block of rows. */
export function sumColumns(start: i32, end: i32, x: usize, y: usize, N: i32, C: i32, block: i32): void {
  const blocks = (N + block - 1) / block;
  const row = (<usize>C) << 2;
  for (let item = start; item < end; item++) {
    const a = item / blocks;
    const first = (item - a * blocks) * block;
    const rows = min(block, N - first);
    const from = x + ((<usize>a) * (<usize>N) + (<usize>first)) * row;
    const to = y + (<usize>item) * row;
    let c: i32 = 0;
    // Half as many turns of the loop, where the sums fit into registers.
    for (; WIDE && c + 32 <= C; c += 32) {
      let p = from + ((<usize>c) << 2);
      let s0 = f32x4.splat(0);
      let s1 = f32x4.splat(0);
      let s2 = f32x4.splat(0);
      let s3 = f32x4.splat(0);
      let s4 = f32x4.splat(0);
      let s5 = f32x4.splat(0);
      let s6 = f32x4.splat(0);
      let s7 = f32x4.splat(0);
      for (let n: i32 = 0; n < rows; n++) {
        s0 = f32x4.add(s0, v128.load(p));
        s1 = f32x4.add(s1, v128.load(p, 16));
        s2 = f32x4.add(s2, v128.load(p, 32));
        s3 = f32x4.add(s3, v128.load(p, 48));
        s4 = f32x4.add(s4, v128.load(p, 64));
        s5 = f32x4.add(s5, v128.load(p, 80));
        s6 = f32x4.add(s6, v128.load(p, 96));
        s7 = f32x4.add(s7, v128.load(p, 112));
        p += row;
      }
      const q = to + ((<usize>c) << 2);
      v128.store(q, s0);
      v128.store(q, s1, 16);
      v128.store(q, s2, 32);
      v128.store(q, s3, 48);
      v128.store(q, s4, 64);
      v128.store(q, s5, 80);
      v128.store(q, s6, 96);
      v128.store(q, s7, 112);
    }
    for (; c + 16 <= C; c += 16) {
      let p = from + ((<usize>c) << 2);
      let s0 = f32x4.splat(0);
      let s1 = f32x4.splat(0);
      let s2 = f32x4.splat(0);
      let s3 = f32x4.splat(0);
      for (let n: i32 = 0; n < rows; n++) {
        s0 = f32x4.add(s0, v128.load(p));
        s1 = f32x4.add(s1, v128.load(p, 16));
        s2 = f32x4.add(s2, v128.load(p, 32));
        s3 = f32x4.add(s3, v128.load(p, 48));
        p += row;
      }
      const q = to + ((<usize>c) << 2);
      v128.store(q, s0);
      v128.store(q, s1, 16);
      v128.store(q, s2, 32);
      v128.store(q, s3, 48);
    }
    for (; c + 4 <= C; c += 4) {
      let p = from + ((<usize>c) << 2);
      let s = f32x4.splat(0);
      for (let n: i32 = 0; n < rows; n++) {
        s = f32x4.add(s, v128.load(p));
        p += row;
      }
      v128.store(to + ((<usize>c) << 2), s);
    }
    for (; c < C; c++) {
      let p = from + ((<usize>c) << 2);
      let s: f32 = 0;
      for (let n: i32 = 0; n < rows; n++) {
        s += load<f32>(p);
        p += row;
      }
      store<f32>(to + ((<usize>c) << 2), s);
    }
  }
}

/** Largest of each row of a block; C = 1. NaN wins. */
export function maxRows(start: i32, end: i32, x: usize, y: usize, N: i32, block: i32): void {
  const blocks = (N + block - 1) / block;
  for (let item = start; item < end; item++) {
    const a = item / blocks;
    const first = (item - a * blocks) * block;
    let left = min(block, N - first);
    let p = x + (((<usize>a) * (<usize>N) + (<usize>first)) << 2);
    let top = f32x4.splat(-Infinity);
    if (left >= 16) {
      let t1 = top;
      let t2 = top;
      let t3 = top;
      for (; left >= 16; left -= 16) {
        top = f32x4.max(top, v128.load(p));
        t1 = f32x4.max(t1, v128.load(p, 16));
        t2 = f32x4.max(t2, v128.load(p, 32));
        t3 = f32x4.max(t3, v128.load(p, 48));
        p += 64;
      }
      top = f32x4.max(f32x4.max(top, t1), f32x4.max(t2, t3));
    }
    for (; left >= 4; left -= 4) {
      top = f32x4.max(top, v128.load(p));
      p += 16;
    }
    let best = maxLanes(top);
    for (; left > 0; left--) {
      best = max(best, load<f32>(p));
      p += 4;
    }
    store<f32>(y + ((<usize>item) << 2), best);
  }
}

/** Largest of each column of a block of rows. NaN wins. */
export function maxColumns(start: i32, end: i32, x: usize, y: usize, N: i32, C: i32, block: i32): void {
  const blocks = (N + block - 1) / block;
  const row = (<usize>C) << 2;
  for (let item = start; item < end; item++) {
    const a = item / blocks;
    const first = (item - a * blocks) * block;
    const rows = min(block, N - first);
    const from = x + ((<usize>a) * (<usize>N) + (<usize>first)) * row;
    const to = y + (<usize>item) * row;
    let c: i32 = 0;
    for (; c + 16 <= C; c += 16) {
      let p = from + ((<usize>c) << 2);
      let t0 = f32x4.splat(-Infinity);
      let t1 = t0;
      let t2 = t0;
      let t3 = t0;
      for (let n: i32 = 0; n < rows; n++) {
        t0 = f32x4.max(t0, v128.load(p));
        t1 = f32x4.max(t1, v128.load(p, 16));
        t2 = f32x4.max(t2, v128.load(p, 32));
        t3 = f32x4.max(t3, v128.load(p, 48));
        p += row;
      }
      const q = to + ((<usize>c) << 2);
      v128.store(q, t0);
      v128.store(q, t1, 16);
      v128.store(q, t2, 32);
      v128.store(q, t3, 48);
    }
    for (; c + 4 <= C; c += 4) {
      let p = from + ((<usize>c) << 2);
      let top = f32x4.splat(-Infinity);
      for (let n: i32 = 0; n < rows; n++) {
        top = f32x4.max(top, v128.load(p));
        p += row;
      }
      v128.store(to + ((<usize>c) << 2), top);
    }
    for (; c < C; c++) {
      let p = from + ((<usize>c) << 2);
      let best: f32 = -Infinity;
      for (let n: i32 = 0; n < rows; n++) {
        best = max(best, load<f32>(p));
        p += row;
      }
      store<f32>(to + ((<usize>c) << 2), best);
    }
  }
}

/** Sums of integers: all of N for one a and one c. */
export function sumIntegers(start: i32, end: i32, x: usize, y: usize, N: i32, C: i32): void {
  for (let item = start; item < end; item++) {
    const a = item / C;
    let p = x + (((<usize>a) * (<usize>N) * (<usize>C) + (<usize>(item - a * C))) << 2);
    let s: i32 = 0;
    for (let n: i32 = 0; n < N; n++) {
      s += load<i32>(p);
      p += (<usize>C) << 2;
    }
    store<i32>(y + ((<usize>item) << 2), s);
  }
}

/** Largest of integers: all of N for one a and one c. */
export function maxIntegers(start: i32, end: i32, x: usize, y: usize, N: i32, C: i32): void {
  for (let item = start; item < end; item++) {
    const a = item / C;
    let p = x + (((<usize>a) * (<usize>N) * (<usize>C) + (<usize>(item - a * C))) << 2);
    let best = i32.MIN_VALUE;
    for (let n: i32 = 0; n < N; n++) {
      best = max(best, load<i32>(p));
      p += (<usize>C) << 2;
    }
    store<i32>(y + ((<usize>item) << 2), best);
  }
}
