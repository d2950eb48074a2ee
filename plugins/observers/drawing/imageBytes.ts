/**
 * Samples as bytes the way the official evaluations of EDM and DMD2 make them: ⌊min(max(127.5·(x + 1), 0), 255)⌋, truncated
 * and not rounded. x [B, C, H, W] in [-1, 1] → [B, H, W, C].
 */
export function imageBytes(x: ArrayLike<number>, shape: readonly number[]): Uint8Array {
  const [B, C, H, W] = shape;
  const plane = H * W;
  const bytes = new Uint8Array(B * C * plane);
  for (let b = 0; b < B; b++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < plane; i++) {
        // In float32, as there: a value just below a whole number may round up to it.
        const level = Math.fround(Math.fround(x[(b * C + c) * plane + i] + 1) * 127.5);
        bytes[(b * plane + i) * C + c] = Math.trunc(Math.min(255, Math.max(0, level)));
      }
  return bytes;
}
