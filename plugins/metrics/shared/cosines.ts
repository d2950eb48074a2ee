import type { FeatureRows } from "./kernelDistance.ts";

/** Cosine of the angle between each pair of rows, of an image and its text say; 0 for a row of zeros. */
export function cosines(a: FeatureRows, b: FeatureRows): Float64Array {
  const { D } = a;
  return Float64Array.from({ length: a.data.length / D }, (_, n) => {
    let [product, lengthA, lengthB] = [0, 0, 0];
    for (let i = n * D; i < (n + 1) * D; i++) {
      product += a.data[i] * b.data[i];
      lengthA += a.data[i] ** 2;
      lengthB += b.data[i] ** 2;
    }
    return lengthA === 0 || lengthB === 0 ? 0 : product / Math.sqrt(lengthA * lengthB);
  });
}

/** CLIP score as commonly printed: the mean of 100 max(cos, 0) (Hessel et al. 2021, arXiv:2104.08718, without its factor 2.5). */
export function meanClipScore(cosine: Float64Array): number {
  return (100 * cosine.reduce((sum, value) => sum + Math.max(value, 0), 0)) / cosine.length;
}
