/** One measured value of the curve `name`. */
export interface Point {
  readonly step: number;
  /** NaN marks a gap. */
  readonly value: number;
  readonly name: string;
}

/** More points than this are invisible at chart width and only make the file large. */
const maxPoints = 1000;

/**
 * Mean of the `points` values around a point (fewer at the ends), at most about `maxPoints` times along the curve. Gaps are
 * left out of the means and stay gaps. Each mean is summed afresh: in a running sum one huge value would drown all later ones.
 */
export function movingAverage(curve: readonly Point[], points: number): Point[] {
  const before = Math.floor((points - 1) / 2);
  const every = Math.ceil(curve.length / maxPoints);
  const kept = curve.filter((_, i) => i % every === 0 || i === curve.length - 1);
  return kept.map((point, index) => {
    if (Number.isNaN(point.value)) return point;
    const at = Math.min(index * every, curve.length - 1);
    const around = curve
      .slice(Math.max(0, at - before), at - before + points)
      .filter(({ value }) => !Number.isNaN(value));
    return { ...point, value: around.reduce((sum, { value }) => sum + value, 0) / around.length };
  });
}

/** At most about `maxPoints` points: the lowest and highest of each stretch, so that no spike is lost. */
export function thin(curve: readonly Point[]): Point[] {
  if (curve.length <= maxPoints) return [...curve];
  const stretch = Math.ceil((2 * curve.length) / maxPoints);
  const kept: Point[] = [];
  for (let start = 0; start < curve.length; start += stretch) {
    const part = curve.slice(start, start + stretch);
    const gaps = part.filter(({ value }) => Number.isNaN(value));
    const numbers = part.filter(({ value }) => !Number.isNaN(value));
    const low = numbers.reduce((a, b) => (b.value < a.value ? b : a), numbers[0]);
    const high = numbers.reduce((a, b) => (b.value > a.value ? b : a), numbers[0]);
    const points = numbers.length === 0 ? [gaps[0]] : low === high ? [low] : [low, high];
    kept.push(...points.sort((a, b) => a.step - b.step));
  }
  return kept;
}
