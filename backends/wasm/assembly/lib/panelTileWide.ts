// The register tiles of panelTile.ts in pairs of vectors, which the engine joins: the expressions of a pair stand side by side,
// and end in stores to one base at offsets 0 and 16.

import { madd } from "./simd.ts";

/** 6 × 16, in pairs of vectors: 12 sums of 256 bits where the engine joins the pairs, too many registers where not. */
export function six16(
  depth: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  let c20 = c00;
  let c21 = c00;
  let c22 = c00;
  let c23 = c00;
  let c30 = c00;
  let c31 = c00;
  let c32 = c00;
  let c33 = c00;
  let c40 = c00;
  let c41 = c00;
  let c42 = c00;
  let c43 = c00;
  let c50 = c00;
  let c51 = c00;
  let c52 = c00;
  let c53 = c00;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    let x = v128.load32_splat(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    c02 = madd(x, b2, c02);
    c03 = madd(x, b3, c03);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    c12 = madd(x, b2, c12);
    c13 = madd(x, b3, c13);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    c22 = madd(x, b2, c22);
    c23 = madd(x, b3, c23);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    c32 = madd(x, b2, c32);
    c33 = madd(x, b3, c33);
    x = v128.load32_splat(a, 16);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    c42 = madd(x, b2, c42);
    c43 = madd(x, b3, c43);
    x = v128.load32_splat(a, 20);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
    c52 = madd(x, b2, c52);
    c53 = madd(x, b3, c53);
    a += aStep;
    b += bStep;
  }
  if (accumulate) {
    let old = c;
    c00 = f32x4.add(v128.load(old), c00);
    c01 = f32x4.add(v128.load(old, 16), c01);
    c02 = f32x4.add(v128.load(old, 32), c02);
    c03 = f32x4.add(v128.load(old, 48), c03);
    old += cStep;
    c10 = f32x4.add(v128.load(old), c10);
    c11 = f32x4.add(v128.load(old, 16), c11);
    c12 = f32x4.add(v128.load(old, 32), c12);
    c13 = f32x4.add(v128.load(old, 48), c13);
    old += cStep;
    c20 = f32x4.add(v128.load(old), c20);
    c21 = f32x4.add(v128.load(old, 16), c21);
    c22 = f32x4.add(v128.load(old, 32), c22);
    c23 = f32x4.add(v128.load(old, 48), c23);
    old += cStep;
    c30 = f32x4.add(v128.load(old), c30);
    c31 = f32x4.add(v128.load(old, 16), c31);
    c32 = f32x4.add(v128.load(old, 32), c32);
    c33 = f32x4.add(v128.load(old, 48), c33);
    old += cStep;
    c40 = f32x4.add(v128.load(old), c40);
    c41 = f32x4.add(v128.load(old, 16), c41);
    c42 = f32x4.add(v128.load(old, 32), c42);
    c43 = f32x4.add(v128.load(old, 48), c43);
    old += cStep;
    c50 = f32x4.add(v128.load(old), c50);
    c51 = f32x4.add(v128.load(old, 16), c51);
    c52 = f32x4.add(v128.load(old, 32), c52);
    c53 = f32x4.add(v128.load(old, 48), c53);
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c, c02, 32);
  v128.store(c, c03, 48);
  c += cStep;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  v128.store(c, c12, 32);
  v128.store(c, c13, 48);
  c += cStep;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  v128.store(c, c22, 32);
  v128.store(c, c23, 48);
  c += cStep;
  v128.store(c, c30);
  v128.store(c, c31, 16);
  v128.store(c, c32, 32);
  v128.store(c, c33, 48);
  c += cStep;
  v128.store(c, c40);
  v128.store(c, c41, 16);
  v128.store(c, c42, 32);
  v128.store(c, c43, 48);
  c += cStep;
  v128.store(c, c50);
  v128.store(c, c51, 16);
  v128.store(c, c52, 32);
  v128.store(c, c53, 48);
}

/** 4 × 16, in pairs of vectors. */
export function four16(
  depth: i32,
  a: usize,
  aStep: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c02 = c00;
  let c03 = c00;
  let c10 = c00;
  let c11 = c00;
  let c12 = c00;
  let c13 = c00;
  let c20 = c00;
  let c21 = c00;
  let c22 = c00;
  let c23 = c00;
  let c30 = c00;
  let c31 = c00;
  let c32 = c00;
  let c33 = c00;
  for (; depth > 0; depth--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    let x = v128.load32_splat(a);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    c02 = madd(x, b2, c02);
    c03 = madd(x, b3, c03);
    x = v128.load32_splat(a, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    c12 = madd(x, b2, c12);
    c13 = madd(x, b3, c13);
    x = v128.load32_splat(a, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    c22 = madd(x, b2, c22);
    c23 = madd(x, b3, c23);
    x = v128.load32_splat(a, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    c32 = madd(x, b2, c32);
    c33 = madd(x, b3, c33);
    a += aStep;
    b += bStep;
  }
  if (accumulate) {
    let old = c;
    c00 = f32x4.add(v128.load(old), c00);
    c01 = f32x4.add(v128.load(old, 16), c01);
    c02 = f32x4.add(v128.load(old, 32), c02);
    c03 = f32x4.add(v128.load(old, 48), c03);
    old += cStep;
    c10 = f32x4.add(v128.load(old), c10);
    c11 = f32x4.add(v128.load(old, 16), c11);
    c12 = f32x4.add(v128.load(old, 32), c12);
    c13 = f32x4.add(v128.load(old, 48), c13);
    old += cStep;
    c20 = f32x4.add(v128.load(old), c20);
    c21 = f32x4.add(v128.load(old, 16), c21);
    c22 = f32x4.add(v128.load(old, 32), c22);
    c23 = f32x4.add(v128.load(old, 48), c23);
    old += cStep;
    c30 = f32x4.add(v128.load(old), c30);
    c31 = f32x4.add(v128.load(old, 16), c31);
    c32 = f32x4.add(v128.load(old, 32), c32);
    c33 = f32x4.add(v128.load(old, 48), c33);
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  v128.store(c, c02, 32);
  v128.store(c, c03, 48);
  c += cStep;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  v128.store(c, c12, 32);
  v128.store(c, c13, 48);
  c += cStep;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  v128.store(c, c22, 32);
  v128.store(c, c23, 48);
  c += cStep;
  v128.store(c, c30);
  v128.store(c, c31, 16);
  v128.store(c, c32, 32);
  v128.store(c, c33, 48);
}
