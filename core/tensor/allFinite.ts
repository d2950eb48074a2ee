/** Whether no number is NaN or infinite. */
export function allFinite(values: Float32Array | Int32Array): boolean {
  // x·0 is 0 for finite x and NaN otherwise: one pass without a branch.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * 0;
  return sum === 0;
}
