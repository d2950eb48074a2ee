// Shuffles of which rows of four become columns. Engines that join pairs of vectors join these too.

@inline
export function low(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 4, 1, 5);
}

@inline
export function high(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 6, 3, 7);
}

@inline
export function firsts(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 0, 1, 4, 5);
}

@inline
export function seconds(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(a, b, 2, 3, 6, 7);
}

/** Four rows of four become four columns at `to`, `step` bytes apart. */
@inline
export function transpose(r0: v128, r1: v128, r2: v128, r3: v128, to: usize, step: usize): void {
  const t0 = low(r0, r1);
  const t1 = low(r2, r3);
  const t2 = high(r0, r1);
  const t3 = high(r2, r3);
  v128.store(to, firsts(t0, t1));
  to += step;
  v128.store(to, seconds(t0, t1));
  to += step;
  v128.store(to, firsts(t2, t3));
  to += step;
  v128.store(to, seconds(t2, t3));
}
