/** Numbers as the page writes them, each with its unit. */

/** 12,345; four digits and more are parted. */
export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Three digits that count: 0.0123, 1.23, 12.3, 1,230; very small and very large ones with a power of ten. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "not finite";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2).replace("e+", "e");
  if (size >= 1000) return whole(value);
  return value.toPrecision(3);
}

/** Bytes in a unit of their size. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  const scaled = value / 2 ** (10 * power);
  return `${scaled >= 100 || power === 0 ? scaled.toFixed(0) : scaled.toFixed(1)} ${units[power]}`;
}

/** Steps or calls in a second. */
export const perSecond = (value: number, what: string): string =>
  `${value >= 100 ? whole(value) : value.toPrecision(2)} ${what}/s`;
