// The transform of weights for convolutions by F(4×4, 3×3).

import { panelStart } from "./lib/convTile.ts";
import { elementAt, widen } from "./lib/halves.ts";
import { tileRows } from "./lib/gemmTile.ts";
import { paddedRows } from "./lib/panelTile.ts";
import { loadTaps, TAPS_BYTES } from "./lib/winogradTaps.ts";
import { MATRICES, MATRIX_PAD, weightTransform } from "./lib/winogradTransform.ts";

/** Bytes of the vectors of a transform. */
const VECTORS_BYTES: usize = 63 * 16;

/** Rows that lie in panels of six; the others lie in panels of four. */
function rowsInSixes(rows: i32): i32 {
  let at = 0;
  while (at < rows && tileRows(rows - at) == 6) at += 6;
  return at;
}

/** Byte at which row `m`, column `k` of a matrix in panels [k][6 or 4] lies. */
@inline
function panelByte(m: i32, k: i32, depth: i32, sixes: i32): usize {
  const six = m < sixes;
  const panel = six ? (m / 6) * 6 : sixes + ((m - sixes) & ~3);
  return (<usize>(panel * depth + k * (six ? 6 : 4) + m - panel)) << 2;
}

/** The matrices of four neighbouring channels of weights, lane by lane to `to0`…`to3`, `step` bytes from one to the next. */
function scatterMatrices(own: usize, to0: usize, to1: usize, to2: usize, to3: usize, step: usize): void {
  const columns = own + TAPS_BYTES;
  for (let s: usize = 0; s < 48; s += 16)
    weightTransform(v128.load(own + s), v128.load(own + s, 48), v128.load(own + s, 96), columns + s, 48);
  const results = columns + 288;
  for (let r: usize = 0; r < 6; r++) {
    const row = columns + r * 48;
    weightTransform(v128.load(row), v128.load(row, 16), v128.load(row, 32), results, 16);
    for (let s: usize = 0; s < 96; s += 16) {
      const value = v128.load(results + s);
      v128.store32_lane(to3, value, 3);
      v128.store32_lane(to2, value, 2);
      v128.store32_lane(to1, value, 1);
      v128.store32_lane(to0, value, 0);
      to0 += step;
      to1 += step;
      to2 += step;
      to3 += step;
    }
  }
}

/** Zeros in the rows that fill up the last panel, in one column of all matrices. */
function clearRows(U: usize, rows: i32, k: i32, depth: i32, sixes: i32, step: usize): void {
  for (let m = rows; m < paddedRows(rows); m++) {
    const to = U + panelByte(m, k, depth, sixes);
    for (let xi: usize = 0; xi < <usize>MATRICES; xi++) store<f32>(to + xi * step, 0);
  }
}

/**
 * U[36][panel][C][6 or 4] of `outputs` of weights[O C 3 3], from `first` on: rows are outputs, columns channels. An item
 * is a panel. Own space: 63 vectors, and 9 where the weights are halves.
 */
export function winogradWeights(
  start: i32,
  end: i32,
  weights: usize,
  U: usize,
  own: usize,
  C: i32,
  first: i32,
  outputs: i32,
  kind: i32,
): void {
  const taps = own + VECTORS_BYTES;
  const step = ((<usize>(paddedRows(outputs) * C)) << 2) + MATRIX_PAD;
  const sixes = rowsInSixes(outputs);
  for (let panel = start; panel < end; panel++) {
    const m0 = panelStart(panel, outputs);
    const m1 = min(m0 + tileRows(outputs - m0), outputs);
    const column = <usize>(m0 < sixes ? 24 : 16);
    for (let c = 0; c < C; c += 4)
      for (let m = m0; m < m1; m++) {
        const from = elementAt(weights, ((first + m) * C + c) * 9, kind);
        if (kind != 0) widen(from, taps, 9 * min(4, C - c), kind);
        loadTaps(kind == 0 ? from : taps, C - c, own);
        // A lane beyond the last channel goes where lane 0 writes after it.
        const to = U + panelByte(m, c, C, sixes);
        const to1 = c + 1 < C ? to + column : to;
        const to2 = c + 2 < C ? to1 + column : to;
        const to3 = c + 3 < C ? to2 + column : to;
        scatterMatrices(own, to, to1, to2, to3, step);
      }
    if (m1 == outputs) for (let c = 0; c < C; c++) clearRows(U, outputs, c, C, sixes, step);
  }
}

/** Channels of an item of `winogradInputWeights`: two panels, three vectors. */
const ITEM_CHANNELS: i32 = 12;

/**
 * The same for the input gradient, a convolution of dy with flipped taps: rows are `channels` from `first` on, columns
 * outputs. An item is 12 channels.
 */
export function winogradInputWeights(
  start: i32,
  end: i32,
  weights: usize,
  U: usize,
  own: usize,
  O: i32,
  C: i32,
  first: i32,
  channels: i32,
): void {
  const step = ((<usize>(paddedRows(channels) * O)) << 2) + MATRIX_PAD;
  const sixes = rowsInSixes(channels);
  for (let item = start; item < end; item++) {
    const c0 = item * ITEM_CHANNELS;
    const c1 = min(c0 + ITEM_CHANNELS, channels);
    for (let o = 0; o < O; o++) {
      for (let c = c0; c < c1; c += 4) {
        loadTaps(weights + ((<usize>((o * C + first + c) * 9)) << 2), c1 - c, own);
        flipTaps(own);
        const to = U + panelByte(c, o, O, sixes);
        const to1 = c + 1 < c1 ? U + panelByte(c + 1, o, O, sixes) : to;
        const to2 = c + 2 < c1 ? U + panelByte(c + 2, o, O, sixes) : to;
        const to3 = c + 3 < c1 ? U + panelByte(c + 3, o, O, sixes) : to;
        scatterMatrices(own, to, to1, to2, to3, step);
      }
      if (c1 == channels) clearRows(U, channels, o, O, sixes, step);
    }
  }
}

/** Turns nine taps by half a turn. */
function flipTaps(taps: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    const tap = v128.load(taps + i);
    v128.store(taps + i, v128.load(taps + 128 - i));
    v128.store(taps + 128 - i, tap);
  }
}
