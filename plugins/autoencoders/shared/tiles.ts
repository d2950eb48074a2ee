/** Pictures in overlapping tiles of one size, which are put together again so that no seam shows. */

/** Tiles along one axis. */
export interface TiledAxis {
  /** Places of a tile. */
  readonly size: number;
  /** Where each starts. */
  readonly starts: readonly number[];
}

/** Tiles of `size` that cover `length`, spread evenly, so that two neighbours share a quarter of a tile or more. */
export function tiledAxis(length: number, size: number): TiledAxis {
  if (length <= size) return { size: length, starts: [0] };
  const stride = Math.max(1, Math.floor((3 * size) / 4));
  const count = Math.ceil((length - size) / stride) + 1;
  const starts = Array.from({ length: count }, (_, i) => Math.round((i * (length - size)) / (count - 1)));
  return { size, starts };
}

/**
 * What each tile counts at each of its places: a straight line over what it shares with either neighbour, the sum over all tiles 1.
 * @param scale places of the result for one of the axis
 */
export function tileShares({ size, starts }: TiledAxis, scale: number): Float32Array[] {
  const length = (starts[starts.length - 1] + size) * scale;
  const total = new Float64Array(length);
  const raw = starts.map((start, i) => {
    const before = i > 0 ? (starts[i - 1] + size - start) * scale : 0;
    const after = i + 1 < starts.length ? (start + size - starts[i + 1]) * scale : 0;
    const share = Float64Array.from({ length: size * scale }, (_, p) => {
      const rise = before > 0 ? Math.min(1, (p + 0.5) / before) : 1;
      const fall = after > 0 ? Math.min(1, (size * scale - p - 0.5) / after) : 1;
      return Math.min(rise, fall);
    });
    share.forEach((value, p) => {
      total[start * scale + p] += value;
    });
    return share;
  });
  return raw.map((share, i) => Float32Array.from(share, (value, p) => value / total[starts[i] * scale + p]));
}

/** A part of an image [C, H, W], row-major. */
export function cut(
  image: Float32Array,
  [C, H, W]: readonly [number, number, number],
  { top, left, height, width }: { top: number; left: number; height: number; width: number },
): Float32Array {
  const out = new Float32Array(C * height * width);
  for (let row = 0; row < C * height; row++) {
    const [c, y] = [Math.floor(row / height), row % height];
    const from = (c * H + top + y) * W + left;
    out.set(image.subarray(from, from + width), row * width);
  }
  return out;
}

/** Adds a tile to an image [C, H, W], each place times the share of its row and of its column. */
export function addTile(
  image: Float32Array,
  [C, H, W]: readonly [number, number, number],
  tile: Float32Array,
  { top, left, rows, columns }: { top: number; left: number; rows: Float32Array; columns: Float32Array },
): void {
  const [height, width] = [rows.length, columns.length];
  for (let c = 0; c < C; c++)
    for (let y = 0; y < height; y++) {
      const to = (c * H + top + y) * W + left;
      const from = (c * height + y) * width;
      for (let x = 0; x < width; x++) image[to + x] += rows[y] * columns[x] * tile[from + x];
    }
}
