// Tiles of the weight gradient of a convolution: sums over pixels for a few outputs and taps.

import { madd } from "./lib/simd.ts";

/**
 * 6 outputs × 2 taps: the products of `count` groups of 4 pixels, to sums[tap][6] with lanes yet to be added up. That
 * is left to another function: where sums are combined right here, V8 reorders the loop after their uses, and spills.
 * Exported only so that it stays a function: inlined into its caller it spills too.
 */
export function sixOutputs(
  count: i32,
  panel: usize,
  groups: usize,
  p0: usize,
  p1: usize,
  sums: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  for (const last = groups + ((<usize>count) << 2); groups < last; groups += 4) {
    const group = <usize>load<u32>(groups);
    const b0 = v128.load(p0 + group);
    const b1 = v128.load(p1 + group);
    let x = v128.load(panel);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load(panel, 16);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load(panel, 32);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load(panel, 48);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    x = v128.load(panel, 64);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    x = v128.load(panel, 80);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
    panel += 96;
  }
  v128.store(sums, c00);
  v128.store(sums, c01, 96);
  v128.store(sums, c10, 16);
  v128.store(sums, c11, 112);
  v128.store(sums, c20, 32);
  v128.store(sums, c21, 128);
  v128.store(sums, c30, 48);
  v128.store(sums, c31, 144);
  v128.store(sums, c40, 64);
  v128.store(sums, c41, 160);
  v128.store(sums, c50, 80);
  v128.store(sums, c51, 176);
}

/** The same for 4 outputs. */
export function fourOutputs(
  count: i32,
  panel: usize,
  groups: usize,
  p0: usize,
  p1: usize,
  sums: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  for (const last = groups + ((<usize>count) << 2); groups < last; groups += 4) {
    const group = <usize>load<u32>(groups);
    const b0 = v128.load(p0 + group);
    const b1 = v128.load(p1 + group);
    let x = v128.load(panel);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load(panel, 16);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load(panel, 32);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load(panel, 48);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    panel += 64;
  }
  v128.store(sums, c00);
  v128.store(sums, c01, 96);
  v128.store(sums, c10, 16);
  v128.store(sums, c11, 112);
  v128.store(sums, c20, 32);
  v128.store(sums, c21, 128);
  v128.store(sums, c30, 48);
  v128.store(sums, c31, 144);
}

/** 6 outputs × 3 taps, of which each pair of outputs is one register where the engine joins neighbouring vectors. */
export function sixOutputsWide(
  count: i32,
  panel: usize,
  groups: usize,
  p0: usize,
  p1: usize,
  p2: usize,
  sums: usize,
): void {
  let c00 = f32x4.splat(0);
  let c10 = c00;
  let c20 = c00;
  let c30 = c00;
  let c40 = c00;
  let c50 = c00;
  let c01 = c00;
  let c11 = c00;
  let c21 = c00;
  let c31 = c00;
  let c41 = c00;
  let c51 = c00;
  let c02 = c00;
  let c12 = c00;
  let c22 = c00;
  let c32 = c00;
  let c42 = c00;
  let c52 = c00;
  for (const last = groups + ((<usize>count) << 2); groups < last; groups += 4) {
    const group = <usize>load<u32>(groups);
    const b0 = v128.load(p0 + group);
    const b1 = v128.load(p1 + group);
    const b2 = v128.load(p2 + group);
    let x = v128.load(panel);
    let y = v128.load(panel, 16);
    c00 = madd(x, b0, c00);
    c10 = madd(y, b0, c10);
    c01 = madd(x, b1, c01);
    c11 = madd(y, b1, c11);
    c02 = madd(x, b2, c02);
    c12 = madd(y, b2, c12);
    x = v128.load(panel, 32);
    y = v128.load(panel, 48);
    c20 = madd(x, b0, c20);
    c30 = madd(y, b0, c30);
    c21 = madd(x, b1, c21);
    c31 = madd(y, b1, c31);
    c22 = madd(x, b2, c22);
    c32 = madd(y, b2, c32);
    x = v128.load(panel, 64);
    y = v128.load(panel, 80);
    c40 = madd(x, b0, c40);
    c50 = madd(y, b0, c50);
    c41 = madd(x, b1, c41);
    c51 = madd(y, b1, c51);
    c42 = madd(x, b2, c42);
    c52 = madd(y, b2, c52);
    panel += 96;
  }
  v128.store(sums, c00);
  v128.store(sums, c10, 16);
  v128.store(sums, c20, 32);
  v128.store(sums, c30, 48);
  v128.store(sums, c40, 64);
  v128.store(sums, c50, 80);
  v128.store(sums, c01, 96);
  v128.store(sums, c11, 112);
  v128.store(sums, c21, 128);
  v128.store(sums, c31, 144);
  v128.store(sums, c41, 160);
  v128.store(sums, c51, 176);
  v128.store(sums, c02, 192);
  v128.store(sums, c12, 208);
  v128.store(sums, c22, 224);
  v128.store(sums, c32, 240);
  v128.store(sums, c42, 256);
  v128.store(sums, c52, 272);
}

/** 4 outputs × 4 taps, likewise. */
export function fourOutputsWide(
  count: i32,
  panel: usize,
  groups: usize,
  p0: usize,
  p1: usize,
  p2: usize,
  p3: usize,
  sums: usize,
): void {
  let c00 = f32x4.splat(0);
  let c10 = c00;
  let c20 = c00;
  let c30 = c00;
  let c01 = c00;
  let c11 = c00;
  let c21 = c00;
  let c31 = c00;
  let c02 = c00;
  let c12 = c00;
  let c22 = c00;
  let c32 = c00;
  let c03 = c00;
  let c13 = c00;
  let c23 = c00;
  let c33 = c00;
  for (const last = groups + ((<usize>count) << 2); groups < last; groups += 4) {
    const group = <usize>load<u32>(groups);
    const b0 = v128.load(p0 + group);
    const b1 = v128.load(p1 + group);
    const b2 = v128.load(p2 + group);
    const b3 = v128.load(p3 + group);
    let x = v128.load(panel);
    let y = v128.load(panel, 16);
    c00 = madd(x, b0, c00);
    c10 = madd(y, b0, c10);
    c01 = madd(x, b1, c01);
    c11 = madd(y, b1, c11);
    c02 = madd(x, b2, c02);
    c12 = madd(y, b2, c12);
    c03 = madd(x, b3, c03);
    c13 = madd(y, b3, c13);
    x = v128.load(panel, 32);
    y = v128.load(panel, 48);
    c20 = madd(x, b0, c20);
    c30 = madd(y, b0, c30);
    c21 = madd(x, b1, c21);
    c31 = madd(y, b1, c31);
    c22 = madd(x, b2, c22);
    c32 = madd(y, b2, c32);
    c23 = madd(x, b3, c23);
    c33 = madd(y, b3, c33);
    panel += 64;
  }
  v128.store(sums, c00);
  v128.store(sums, c10, 16);
  v128.store(sums, c20, 32);
  v128.store(sums, c30, 48);
  v128.store(sums, c01, 96);
  v128.store(sums, c11, 112);
  v128.store(sums, c21, 128);
  v128.store(sums, c31, 144);
  v128.store(sums, c02, 192);
  v128.store(sums, c12, 208);
  v128.store(sums, c22, 224);
  v128.store(sums, c32, 240);
  v128.store(sums, c03, 288);
  v128.store(sums, c13, 304);
  v128.store(sums, c23, 320);
  v128.store(sums, c33, 336);
}
