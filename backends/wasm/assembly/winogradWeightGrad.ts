// Gradient of the weights of a convolution of 3 × 3 taps and stride 1 by F(3×3, 4×4). Lanes are channels.

import { tileRows } from "./lib/gemmTile.ts";
import { panelTile } from "./lib/panelTile.ts";
import { transpose } from "./lib/shuffles.ts";
import { storeTaps, TAPS_BYTES } from "./lib/winogradTaps.ts";
import { listRuns, ROW_MARGIN, RUN, transformRows } from "./lib/winogradTiles.ts";
import {
  gradTransformPair,
  inputTransformPair,
  MATRICES,
  MATRIX_PAD,
  tapTransform,
} from "./lib/winogradTransform.ts";

/** Channels that are transformed at a time: a pair of vectors, `LANES_BYTES` bytes for a pixel. */
const LANES: i32 = 8;
const LANES_BYTES: usize = 32;
/** Columns in front of the pixels that the transposition of a short row may overwrite. */
const COLUMN_MARGIN: usize = 4 * LANES_BYTES;

/**
 * partial[chunk][o][c] = Σ dy[b,o] ⋆ x[b,c] over the tiles of a chunk, or dw itself where there is one. An item is
 * (chunk, block of `oBlock` outputs, block of `cBlock` channels). Tiles are transformed `blockTiles` at a time, of
 * which a chunk has `chunkBlocks`; both are fixed by the shape. Own space: a row of zeros, runs of tiles, scratch, the sums
 * [36][outputs][channels], transformed x [36][tiles][channels] and dy [36][tiles][outputs].
 */
export function winogradWeightGrad(
  start: i32,
  end: i32,
  x: usize,
  dy: usize,
  partial: usize,
  own: usize,
  B: i32,
  C: i32,
  H: i32,
  W: i32,
  O: i32,
  OH: i32,
  OW: i32,
  padH: i32,
  padW: i32,
  oBlock: i32,
  cBlock: i32,
  blockTiles: i32,
  chunkBlocks: i32,
  pitchElements: i32,
): void {
  const tilesDown = (OH + 3) >> 2;
  const tilesAcross = (OW + 3) >> 2;
  const tiles = B * tilesDown * tilesAcross;
  const pitch = (<usize>pitchElements) << 2;
  const plane = (<usize>(H * W)) << 2;
  const dyPlane = (<usize>(OH * OW)) << 2;
  const cLine = (<usize>((cBlock + LANES - 1) & -LANES)) << 2;
  const oLine = (<usize>((oBlock + LANES - 1) & -LANES)) << 2;
  const nStep = (oLine >> 2) * cLine + MATRIX_PAD;
  const vStep = <usize>blockTiles * cLine + MATRIX_PAD;
  const yStep = <usize>blockTiles * oLine + MATRIX_PAD;
  const zeros = own + ROW_MARGIN;
  const runs = zeros + pitch;
  const N = (runs + <usize>blockTiles * RUN + 63) & ~63;
  const V = N + <usize>MATRICES * nStep;
  const Y = V + <usize>MATRICES * vStep;
  const scratch = Y + <usize>MATRICES * yStep;
  memory.fill(own, 0, ROW_MARGIN + pitch);

  const cBlocks = (C + cBlock - 1) / cBlock;
  const oBlocks = (O + oBlock - 1) / oBlock;
  for (let item = start; item < end; item++) {
    const c0 = (item % cBlocks) * cBlock;
    const channels = min(cBlock, C - c0);
    const o0 = ((item / cBlocks) % oBlocks) * oBlock;
    const outputs = min(oBlock, O - o0);
    const chunk = item / (cBlocks * oBlocks);
    const firstTile = chunk * chunkBlocks * blockTiles;
    const lastTile = min(firstTile + chunkBlocks * blockTiles, tiles);
    for (let tile = firstTile; tile < lastTile; tile += blockTiles) {
      const count = min(blockTiles, lastTile - tile);
      const runCount = listRuns(runs, tile, count, tilesDown, tilesAcross);
      for (let c = 0; c < channels; c += LANES) {
        let to = V + ((<usize>c) << 2);
        for (let run = runs; run < runs + <usize>runCount * RUN; run += RUN) {
          const source = x + <usize>(load<i32>(run) * C + c0 + c) * plane;
          transformInput(source, plane, channels - c, H, W, padH, padW, run, zeros, scratch, pitch, to, cLine, vStep);
          to += <usize>load<i32>(run, 12) * cLine;
        }
      }
      for (let o = 0; o < outputs; o += LANES) {
        let to = Y + ((<usize>o) << 2);
        for (let run = runs; run < runs + <usize>runCount * RUN; run += RUN) {
          const source = dy + <usize>(load<i32>(run) * O + o0 + o) * dyPlane;
          transformGrad(source, dyPlane, outputs - o, OH, OW, run, scratch, pitch, to, oLine, yStep);
          to += <usize>load<i32>(run, 12) * oLine;
        }
      }
      const width = (channels + LANES - 1) & -LANES;
      for (let xi: usize = 0; xi < <usize>MATRICES; xi++)
        for (let o = 0; o < outputs; ) {
          const rows = tileRows(outputs - o);
          panelTile(
            rows,
            width,
            count,
            Y + xi * yStep + ((<usize>o) << 2),
            oLine,
            V + xi * vStep,
            cLine,
            N + xi * nStep + <usize>o * cLine,
            cLine,
            tile > firstTile,
          );
          o += rows;
        }
    }
    for (let o = 0; o < outputs; o++) {
      const from = N + <usize>o * cLine;
      const to = partial + ((<usize>(((chunk * O + o0 + o) * C + c0) * 9)) << 2);
      for (let c = 0; c < channels; c += 4) {
        reduceMatrices(from + ((<usize>c) << 2), nStep, scratch);
        storeTaps(scratch, to + ((<usize>(c * 9)) << 2), channels - c);
      }
    }
  }
}

/** A plane of eight, the last one again where there are fewer. */
@inline
function planeAt(first: usize, step: usize, i: i32, planes: i32): usize {
  return first + <usize>min(i, planes - 1) * step;
}

/** Bᵀ d B of the patches of a run of tiles in eight channels: [matrix][tile][channel]. */
function transformInput(
  source: usize,
  plane: usize,
  planes: i32,
  H: i32,
  W: i32,
  padH: i32,
  padW: i32,
  run: usize,
  zeros: usize,
  scratch: usize,
  pitch: usize,
  to: usize,
  tileStep: usize,
  matrixStep: usize,
): void {
  const tiles = load<i32>(run, 12);
  const top = (load<i32>(run, 4) << 2) - padH;
  const left = (load<i32>(run, 8) << 2) - padW;
  const end = left + (tiles << 2) + 2;
  const low = max(left, 0);
  const high = min(end, W);
  const rows = scratch + ROW_MARGIN;
  for (let i = 0; i < LANES; i++) {
    const from = planeAt(source, plane, i, planes) + ((<usize>low) << 2);
    transformRows(from, top, H, W, high - low, zeros, rows + <usize>(i * 6) * pitch, pitch);
  }
  const pixels = scratch + ROW_MARGIN + <usize>(LANES * 6) * pitch;
  for (let r: usize = 0; r < 6; r++) {
    clearPixels(pixels, low - left);
    const first = pixels + <usize>(low - left) * LANES_BYTES;
    const from = rows + r * pitch;
    for (let half = 0; half < 2; half++) {
      const p = from + <usize>(half * 24) * pitch;
      transposeRows(p, p + 6 * pitch, p + 12 * pitch, p + 18 * pitch, first + ((<usize>half) << 4), high - low);
    }
    clearPixels(first + <usize>(high - low) * LANES_BYTES, end - high);
    let q = to;
    for (let p = pixels; p < pixels + <usize>tiles * 4 * LANES_BYTES; p += 4 * LANES_BYTES) {
      inputTransformPair(
        v128.load(p),
        v128.load(p, 32),
        v128.load(p, 64),
        v128.load(p, 96),
        v128.load(p, 128),
        v128.load(p, 160),
        v128.load(p, 16),
        v128.load(p, 48),
        v128.load(p, 80),
        v128.load(p, 112),
        v128.load(p, 144),
        v128.load(p, 176),
        q,
        matrixStep,
      );
      q += tileStep;
    }
    to += 6 * matrixStep;
  }
}

/** M dy Mᵀ of a run of tiles in eight outputs: [matrix][tile][output]. Tiles end in zeros beyond the image. */
function transformGrad(
  source: usize,
  plane: usize,
  planes: i32,
  OH: i32,
  OW: i32,
  run: usize,
  scratch: usize,
  pitch: usize,
  to: usize,
  tileStep: usize,
  matrixStep: usize,
): void {
  const tiles = load<i32>(run, 12);
  const top = load<i32>(run, 4) << 2;
  const left = load<i32>(run, 8) << 2;
  const columns = min(tiles << 2, OW - left);
  // The last four columns of a row are read as one vector: it may start before the run, but not before the row.
  const back = (<usize>max(4 - columns, 0)) << 2;
  const line = pitch << 3;
  const pixels = scratch + COLUMN_MARGIN;
  for (let r = 0; r < 4; r++) {
    const first = pixels + <usize>r * line;
    if (top + r >= OH) {
      clearPixels(first, tiles << 2);
      continue;
    }
    const from = source + ((<usize>((top + r) * OW + left)) << 2) - back;
    for (let half = 0; half < 2; half++) {
      const i = half << 2;
      transposeEdge(
        planeAt(from, plane, i, planes),
        planeAt(from, plane, i + 1, planes),
        planeAt(from, plane, i + 2, planes),
        planeAt(from, plane, i + 3, planes),
        first - (back << 3) + ((<usize>half) << 4),
        columns + <i32>(back >> 2),
      );
    }
    clearPixels(first + <usize>columns * LANES_BYTES, (tiles << 2) - columns);
  }
  const rows = pixels + 4 * line;
  const width = (<usize>(tiles << 2)) * LANES_BYTES;
  for (let p: usize = 0; p < width; p += LANES_BYTES) gradTransformPair(pixels + p, line, rows + p, line);
  for (let r: usize = 0; r < 6; r++) {
    let q = to;
    const row = rows + r * line;
    for (let p: usize = 0; p < width; p += 4 * LANES_BYTES) {
      gradTransformPair(row + p, LANES_BYTES, q, matrixStep);
      q += tileStep;
    }
    to += 6 * matrixStep;
  }
}

/** Zeros in some pixels of eight channels. */
@inline
function clearPixels(to: usize, count: i32): void {
  for (; count > 0; count--) {
    v128.store(to, f32x4.splat(0));
    v128.store(to, f32x4.splat(0), 16);
    to += LANES_BYTES;
  }
}

/** Four pixels of four channels, `LANES_BYTES` apart. */
@inline
function transposePixels(p0: usize, p1: usize, p2: usize, p3: usize, to: usize): void {
  transpose(v128.load(p0), v128.load(p1), v128.load(p2), v128.load(p3), to, LANES_BYTES);
}

/** Rows of four channels to pixels. Reads and writes whole fours of columns. */
function transposeRows(p0: usize, p1: usize, p2: usize, p3: usize, to: usize, columns: i32): void {
  for (; columns > 0; columns -= 4) {
    transposePixels(p0, p1, p2, p3, to);
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    to += 128;
  }
}

/** The same for at least four columns, and nothing beyond: the last four come again where they are no whole four. */
function transposeEdge(p0: usize, p1: usize, p2: usize, p3: usize, to: usize, columns: i32): void {
  while (columns > 0) {
    const back = <usize>max(4 - columns, 0);
    transposePixels(p0 - (back << 2), p1 - (back << 2), p2 - (back << 2), p3 - (back << 2), to - (back << 5));
    p0 += 16;
    p1 += 16;
    p2 += 16;
    p3 += 16;
    to += 128;
    columns -= 4;
  }
}

/** Gᵀ m G of four channels: nine taps at `taps`. Scratch: 18 vectors behind the taps. */
function reduceMatrices(from: usize, step: usize, taps: usize): void {
  const columns = taps + TAPS_BYTES;
  for (let s: usize = 0; s < 96; s += 16) {
    let at = from;
    const m0 = v128.load(at);
    at += 6 * step;
    const m1 = v128.load(at);
    at += 6 * step;
    const m2 = v128.load(at);
    at += 6 * step;
    const m3 = v128.load(at);
    at += 6 * step;
    const m4 = v128.load(at);
    at += 6 * step;
    const m5 = v128.load(at);
    tapTransform(m0, m1, m2, m3, m4, m5, columns + s, 96);
    from += step;
  }
  for (let r: usize = 0; r < 3; r++) {
    const row = columns + r * 96;
    tapTransform(
      v128.load(row),
      v128.load(row, 16),
      v128.load(row, 32),
      v128.load(row, 48),
      v128.load(row, 64),
      v128.load(row, 80),
      taps + r * 48,
      16,
    );
  }
}
