// Winograd's minimal filtering on four lanes: F(4×4, 3×3), and F(3×3, 4×4) for the gradient of the weights.
//
// A product of two polynomials of 6 coefficients is known from 6 of its values. With the points 0, ±A, ±B and ∞, six inputs
// d and three taps g give four outputs of a correlation:
//   y = Mᵀ [(G g) ∘ (Bᵀ d)],   Bᵀ: `inputTransform`, G: `weightTransform`, Mᵀ: `outputTransform`
// and, in two dimensions, every matrix is applied to columns and then to rows. Lavin and Gray 2015, arXiv:1509.09308.
// A = 3/4, B = 3/2 halve the rounding error of the usual ±1, ±2, and all constants of Bᵀ are exact.

import { madd } from "./simd.ts";

const A1: f32 = 0.75;
const A2: f32 = A1 * A1;
const A3: f32 = A2 * A1;
const B1: f32 = 1.5;
const B2: f32 = B1 * B1;
const B3: f32 = B2 * B1;
/** (x² - A²)(x² - B²) = x⁴ + Q x² + P. */
const P: f32 = A2 * B2;
const Q: f32 = -(A2 + B2);
/** One over the product of the distances to the other points, for ±A and ±B; for 0 it is 1 / P. */
const NA: f32 = 1 / (2 * A2 * (A2 - B2));
const NB: f32 = 1 / (2 * B2 * (B2 - A2));

/** Values of a transformed tile: matrices that are multiplied. */
export const MATRICES: i32 = 36;
/** Bytes between matrices: without them all 36 would start in one set of the cache. */
export const MATRIX_PAD: usize = 64;

@inline
function k(value: f32): v128 {
  return f32x4.splat(value);
}

// Bᵀ d, row by row.

@inline
export function inputEnd(d0: v128, d2: v128, d4: v128): v128 {
  return madd(d2, k(Q), madd(d0, k(P), d4));
}
@inline
export function inputNear(d: v128, next: v128): v128 {
  return madd(d, k(-B2), next);
}
@inline
export function inputFar(d: v128, next: v128): v128 {
  return madd(d, k(-A2), next);
}

/** Bᵀ d of six vectors, stored `step` bytes apart. */
@inline
export function inputTransform(
  d0: v128,
  d1: v128,
  d2: v128,
  d3: v128,
  d4: v128,
  d5: v128,
  to: usize,
  step: usize,
): void {
  const a = inputNear(d2, d4);
  const b = inputNear(d1, d3);
  const c = inputFar(d2, d4);
  const e = inputFar(d1, d3);
  v128.store(to, inputEnd(d0, d2, d4));
  to += step;
  v128.store(to, madd(b, k(A1), a));
  to += step;
  v128.store(to, madd(b, k(-A1), a));
  to += step;
  v128.store(to, madd(e, k(B1), c));
  to += step;
  v128.store(to, madd(e, k(-B1), c));
  to += step;
  v128.store(to, inputEnd(d1, d3, d5));
}

/** The same for two neighbouring vectors each, which an engine may join. */
@inline
export function inputTransformPair(
  d0: v128,
  d1: v128,
  d2: v128,
  d3: v128,
  d4: v128,
  d5: v128,
  f0: v128,
  f1: v128,
  f2: v128,
  f3: v128,
  f4: v128,
  f5: v128,
  to: usize,
  step: usize,
): void {
  const a0 = inputNear(d2, d4);
  const a1 = inputNear(f2, f4);
  const b0 = inputNear(d1, d3);
  const b1 = inputNear(f1, f3);
  const c0 = inputFar(d2, d4);
  const c1 = inputFar(f2, f4);
  const e0 = inputFar(d1, d3);
  const e1 = inputFar(f1, f3);
  storePair(to, inputEnd(d0, d2, d4), inputEnd(f0, f2, f4));
  to += step;
  storePair(to, madd(b0, k(A1), a0), madd(b1, k(A1), a1));
  to += step;
  storePair(to, madd(b0, k(-A1), a0), madd(b1, k(-A1), a1));
  to += step;
  storePair(to, madd(e0, k(B1), c0), madd(e1, k(B1), c1));
  to += step;
  storePair(to, madd(e0, k(-B1), c0), madd(e1, k(-B1), c1));
  to += step;
  storePair(to, inputEnd(d1, d3, d5), inputEnd(f1, f3, f5));
}

@inline
export function storePair(to: usize, first: v128, second: v128): void {
  v128.store(to, first);
  v128.store(to, second, 16);
}

// Mᵀ m of six values with the sums p = m1 + m2, r = m3 + m4 and differences d = m1 - m2, s = m3 - m4.

@inline
export function output0(m0: v128, p: v128, r: v128): v128 {
  return f32x4.add(f32x4.add(m0, p), r);
}
@inline
export function output1(d: v128, s: v128): v128 {
  return madd(s, k(B1), f32x4.mul(d, k(A1)));
}
@inline
export function output2(p: v128, r: v128): v128 {
  return madd(r, k(B2), f32x4.mul(p, k(A2)));
}
@inline
export function output3(d: v128, s: v128, m5: v128): v128 {
  return madd(s, k(B3), madd(d, k(A3), m5));
}

/** G g of three taps, stored `step` bytes apart. */
@inline
export function weightTransform(g0: v128, g1: v128, g2: v128, to: usize, step: usize): void {
  const s = madd(g2, k(NA * A2), f32x4.mul(g0, k(NA)));
  const u = f32x4.mul(g1, k(NA * A1));
  const a = madd(g2, k(NB * B2), f32x4.mul(g0, k(NB)));
  const b = f32x4.mul(g1, k(NB * B1));
  v128.store(to, f32x4.mul(g0, k(1 / P)));
  to += step;
  v128.store(to, f32x4.add(s, u));
  to += step;
  v128.store(to, f32x4.sub(s, u));
  to += step;
  v128.store(to, f32x4.add(a, b));
  to += step;
  v128.store(to, f32x4.sub(a, b));
  to += step;
  v128.store(to, g2);
}

// The gradient of the weights exchanges the parts of taps and outputs: dg = Gᵀ [(M dy) ∘ (Bᵀ d)].

/** M dy of four pairs of vectors, `from` bytes apart, stored `step` bytes apart. */
@inline
export function gradTransformPair(at: usize, from: usize, to: usize, step: usize): void {
  const d0 = v128.load(at);
  const f0 = v128.load(at, 16);
  at += from;
  const d1 = v128.load(at);
  const f1 = v128.load(at, 16);
  at += from;
  const d2 = v128.load(at);
  const f2 = v128.load(at, 16);
  at += from;
  const d3 = v128.load(at);
  const f3 = v128.load(at, 16);
  const a0 = madd(d2, k(A2), d0);
  const a1 = madd(f2, k(A2), f0);
  const b0 = madd(d3, k(A2), d1);
  const b1 = madd(f3, k(A2), f1);
  const c0 = madd(d2, k(B2), d0);
  const c1 = madd(f2, k(B2), f0);
  const e0 = madd(d3, k(B2), d1);
  const e1 = madd(f3, k(B2), f1);
  storePair(to, d0, f0);
  to += step;
  storePair(to, madd(b0, k(A1), a0), madd(b1, k(A1), a1));
  to += step;
  storePair(to, madd(b0, k(-A1), a0), madd(b1, k(-A1), a1));
  to += step;
  storePair(to, madd(e0, k(B1), c0), madd(e1, k(B1), c1));
  to += step;
  storePair(to, madd(e0, k(-B1), c0), madd(e1, k(-B1), c1));
  to += step;
  storePair(to, d3, f3);
}

/** Gᵀ m of six vectors, stored `step` bytes apart. */
@inline
export function tapTransform(
  m0: v128,
  m1: v128,
  m2: v128,
  m3: v128,
  m4: v128,
  m5: v128,
  to: usize,
  step: usize,
): void {
  const p = f32x4.add(m1, m2);
  const d = f32x4.sub(m1, m2);
  const r = f32x4.add(m3, m4);
  const s = f32x4.sub(m3, m4);
  v128.store(to, madd(m0, k(1 / P), madd(p, k(NA), f32x4.mul(r, k(NB)))));
  to += step;
  v128.store(to, madd(d, k(NA * A1), f32x4.mul(s, k(NB * B1))));
  to += step;
  v128.store(to, madd(p, k(NA * A2), madd(r, k(NB * B2), m5)));
}
