// Sums over pixels that the tiles of a weight gradient leave: [tap][6 outputs], lanes yet to be added up.

/** The sums of a tap: 6 vectors. */
export const TAP_BYTES: usize = 96;
/** The sums of a tile: of up to 4 taps. */
export const SUMS_BYTES: usize = 384;

/** Lane i of the result is the sum of the lanes of the i-th vector. */
@inline
function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Adds the lanes of sums[tap][6] of one or two taps to the weight's. */
export function addSums(sums: usize, out: usize, outStep: usize, outputs: i32, secondTap: i32): void {
  for (let o = 0; o < outputs; o += 2) {
    const lanes = sumEach(
      v128.load(sums),
      v128.load(sums, TAP_BYTES),
      v128.load(sums, 16),
      v128.load(sums, TAP_BYTES + 16),
    );
    store<f32>(out, load<f32>(out) + f32x4.extract_lane(lanes, 0));
    if (secondTap) store<f32>(out, load<f32>(out, 4) + f32x4.extract_lane(lanes, 1), 4);
    if (o + 1 == outputs) return;
    out += outStep;
    store<f32>(out, load<f32>(out) + f32x4.extract_lane(lanes, 2));
    if (secondTap) store<f32>(out, load<f32>(out, 4) + f32x4.extract_lane(lanes, 3), 4);
    out += outStep;
    sums += 32;
  }
}
