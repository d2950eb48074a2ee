// Forward convolution, and the input gradient, as implicit matrix products.

import {
  convMultiply,
  GROUP,
  GROUP_ENTRY,
  listGroups,
  packPlanes,
  panelStart,
} from "./lib/convTile.ts";
import { tileRows } from "./lib/gemmTile.ts";
import { elementAt, widen } from "./lib/halves.ts";
import { paddedRows } from "./lib/panelTile.ts";

/** Elements of a row of weights that are packed at a time: six rows of them stay in the first-level cache. */
const PACKED_DEPTH: i32 = 256;

/**
 * Packs weights[outputs × depth], `first` rows further on, into panels [depth][6 or 4], zeros where there are fewer. An item is a
 * panel. Own space, where they are halves: 6 × 256.
 */
export function convPackWeights(
  start: i32,
  end: i32,
  weights: usize,
  panels: usize,
  own: usize,
  first: i32,
  outputs: i32,
  depth: i32,
  kind: i32,
): void {
  const rowBytes = (<usize>depth) << 2;
  for (let item = start; item < end; item++) {
    const o = panelStart(item, outputs);
    const rows = tileRows(outputs - o);
    const inside = min(rows, outputs - o);
    const panel = panels + <usize>o * rowBytes;
    for (let k = 0; k < depth; k += PACKED_DEPTH) {
      const count = min(PACKED_DEPTH, depth - k);
      const to = panel + ((<usize>(k * rows)) << 2);
      if (kind == 0) {
        packRowsAcross(weights + <usize>(first + o) * rowBytes + ((<usize>k) << 2), rowBytes, count, inside, rows, to);
        continue;
      }
      for (let m = 0; m < inside; m++)
        widen(
          elementAt(weights, (first + o + m) * depth + k, kind),
          own + ((<usize>(m * PACKED_DEPTH)) << 2),
          count,
          kind,
        );
      packRowsAcross(own, (<usize>PACKED_DEPTH) << 2, count, inside, rows, to);
    }
  }
}

/** to[k][rows] from rows of `count` elements, `step` bytes apart; zeros in those that are not `inside`. */
@inline
function packRowsAcross(from: usize, step: usize, count: i32, inside: i32, rows: i32, to: usize): void {
  for (let k = 0; k < count; k++) {
    let row = from + ((<usize>k) << 2);
    for (let m = 0; m < rows; m++) {
      store<f32>(to, m < inside ? load<f32>(row) : 0);
      row += step;
      to += 4;
    }
  }
}

/**
 * y[b,o] = Σ_c x[b,c] ⋆ weights[o,c]. An item is a strip of `stripRows` output rows of one image.
 * Own space: taps, groups, then the planes of the strip; a pointwise convolution may read x `inPlace` instead. `outputs` of y are
 * made, from where it points to on.
 */
export function convForward(
  start: i32,
  end: i32,
  x: usize,
  panels: usize,
  y: usize,
  own: usize,
  C: i32,
  H: i32,
  W: i32,
  O: i32,
  R: i32,
  S: i32,
  OH: i32,
  OW: i32,
  strideH: i32,
  strideW: i32,
  padH: i32,
  padW: i32,
  stripRows: i32,
  pitch: i32,
  planeElements: i32,
  inPlace: i32,
  outputs: i32,
): void {
  const depth = C * R * S;
  const iCount = min(strideH, R);
  const jCount = min(strideW, S);
  const planeBytes = (<usize>planeElements) << 2;
  const groups = own + ((<usize>depth) << 2);
  const planes = groups + <usize>(stripRows * ((OW + GROUP - 1) / GROUP) * GROUP_ENTRY);
  const strips = (OH + stripRows - 1) / stripRows;

  let tap = own;
  for (let c = 0; c < C; c++)
    for (let r = 0; r < R; r++)
      for (let s = 0; s < S; s++) {
        const plane = (c * iCount + (r % strideH)) * jCount + (s % strideW);
        store<u32>(
          tap,
          <u32>(<usize>plane * planeBytes + ((<usize>((r / strideH) * pitch + s / strideW)) << 2)),
        );
        tap += 4;
      }

  for (let item = start; item < end; item++) {
    const image = item / strips;
    const top = (item % strips) * stripRows;
    const rows = min(stripRows, OH - top);
    const source = x + ((<usize>(image * C * H * W)) << 2);
    if (!inPlace)
      packPlanes(
        source,
        C,
        H,
        W,
        top * strideH - padH,
        -padW,
        strideH,
        strideW,
        iCount,
        jCount,
        rows + (R - 1) / strideH,
        pitch,
        planeBytes,
        planes,
      );
    const count = listGroups(groups, rows, OW, 0, (<usize>pitch) << 2, 0, (<usize>OW) << 2, 4);
    convMultiply(
      inPlace ? source + ((<usize>(top * W)) << 2) : planes,
      groups,
      count,
      panels,
      own,
      depth,
      outputs,
      y + ((<usize>((image * O * OH + top) * OW)) << 2),
      (<usize>(OH * OW)) << 2,
      4,
    );
  }
}

/** Taps of phase `i` of a kernel of `size`: i, i + stride, … */
@inline
function tapsOf(size: i32, i: i32, stride: i32): i32 {
  return i < size ? (size - i + stride - 1) / stride : 0;
}

/**
 * Packs weights[O C R S] for the input gradient: for every stride phase (i, j), panels [(o,t,u)][6 or 4 channels]
 * with the taps r = i + t·strideH, s = j + u·strideW. An item is a panel, in all phases.
 */
export function convPackInputWeights(
  start: i32,
  end: i32,
  weights: usize,
  panels: usize,
  O: i32,
  C: i32,
  R: i32,
  S: i32,
  strideH: i32,
  strideW: i32,
): void {
  const padded = paddedRows(C);
  for (let item = start; item < end; item++) {
    const c = panelStart(item, C);
    const rows = tileRows(C - c);
    let phase = panels;
    for (let i = 0; i < strideH; i++)
      for (let j = 0; j < strideW; j++) {
        const depth = O * tapsOf(R, i, strideH) * tapsOf(S, j, strideW);
        let to = phase + ((<usize>(c * depth)) << 2);
        for (let o = 0; o < O; o++)
          for (let r = i; r < R; r += strideH)
            for (let s = j; s < S; s += strideW) {
              const from = weights + ((<usize>(((o * C + c) * R + r) * S + s)) << 2);
              for (let m = 0; m < rows; m++) {
                store<f32>(to, c + m < C ? load<f32>(from + ((<usize>(m * R * S)) << 2)) : 0);
                to += 4;
              }
            }
        phase += (<usize>(padded * depth)) << 2;
      }
  }
}

/** First output row that reaches phase `i`: the smallest q with stride·q + i - pad ≥ 0. */
@inline
function firstOf(i: i32, stride: i32, pad: i32): i32 {
  return pad > i ? (pad - i + stride - 1) / stride : 0;
}

/** Input rows (or columns) of phase `i`: those h < size with h = stride·q + i - pad. Returns the last q, or -1. */
@inline
function lastOf(i: i32, stride: i32, pad: i32, size: i32): i32 {
  const top = size - 1 + pad - i;
  return top < 0 ? -1 : top / stride;
}

/**
 * dx[b,c,h,w] = Σ dy[b,o,q-t,p-u] · weight[o,c,i+t·strideH,j+u·strideW] with h = strideH·q + i - padH, likewise w:
 * for every phase (i, j) a convolution of stride 1, with flipped taps, of which each element of dx is written by
 * exactly one. An item is a strip of `stripRows` values of q of one image. Own space: taps of all phases, groups,
 * planes (unless `inPlace`).
 */
export function convInputGrad(
  start: i32,
  end: i32,
  dy: usize,
  panels: usize,
  dx: usize,
  own: usize,
  C: i32,
  H: i32,
  W: i32,
  O: i32,
  R: i32,
  S: i32,
  OH: i32,
  OW: i32,
  strideH: i32,
  strideW: i32,
  padH: i32,
  padW: i32,
  stripRows: i32,
  pitch: i32,
  planeElements: i32,
  inPlace: i32,
): void {
  const planeBytes = (<usize>planeElements) << 2;
  const tapRows = (R + strideH - 1) / strideH;
  const tapColumns = (S + strideW - 1) / strideW;
  const qFirst = padH / strideH;
  const pFirst = padW / strideW;
  const qCount = (H - 1 + padH) / strideH - qFirst + 1;
  const pCount = (W - 1 + padW) / strideW - pFirst + 1;
  const strips = (qCount + stripRows - 1) / stripRows;
  const groups = own + ((<usize>(O * R * S)) << 2);
  const planes = groups + <usize>(stripRows * ((pCount + GROUP - 1) / GROUP) * GROUP_ENTRY);
  const padded = paddedRows(C);

  let tap = own;
  for (let i = 0; i < strideH; i++)
    for (let j = 0; j < strideW; j++)
      for (let o = 0; o < O; o++)
        for (let t = 0; t < tapsOf(R, i, strideH); t++)
          for (let u = 0; u < tapsOf(S, j, strideW); u++) {
            const at = (tapRows - 1 - t) * pitch + (tapColumns - 1 - u);
            store<u32>(tap, <u32>(<usize>o * planeBytes + ((<usize>at) << 2)));
            tap += 4;
          }

  for (let item = start; item < end; item++) {
    const image = item / strips;
    const qTop = qFirst + (item % strips) * stripRows;
    const qBottom = min(qTop + stripRows, qFirst + qCount) - 1;
    const source = dy + ((<usize>(image * O * OH * OW)) << 2);
    if (!inPlace)
      packPlanes(
        source,
        O,
        OH,
        OW,
        qTop - (tapRows - 1),
        pFirst - (tapColumns - 1),
        1,
        1,
        1,
        1,
        qBottom - qTop + tapRows,
        pitch,
        planeBytes,
        planes,
      );
    let phasePanels = panels;
    let phaseTaps = own;
    for (let i = 0; i < strideH; i++)
      for (let j = 0; j < strideW; j++) {
        const depth = O * tapsOf(R, i, strideH) * tapsOf(S, j, strideW);
        const q0 = max(qTop, firstOf(i, strideH, padH));
        const q1 = min(qBottom, lastOf(i, strideH, padH, H));
        const p0 = firstOf(j, strideW, padW);
        const p1 = lastOf(j, strideW, padW, W);
        if (q0 <= q1 && p0 <= p1) {
          const count = listGroups(
            groups,
            q1 - q0 + 1,
            p1 - p0 + 1,
            (<usize>((q0 - qTop) * pitch + p0 - pFirst)) << 2,
            (<usize>pitch) << 2,
            (<usize>((strideH * q0 + i - padH) * W + strideW * p0 + j - padW)) << 2,
            (<usize>(strideH * W)) << 2,
            (<usize>strideW) << 2,
          );
          convMultiply(
            inPlace ? source + ((<usize>(qTop * OW)) << 2) : planes,
            groups,
            count,
            phasePanels,
            phaseTaps,
            depth,
            C,
            dx + ((<usize>(image * C * H * W)) << 2),
            (<usize>(H * W)) << 2,
            (<usize>strideW) << 2,
          );
        }
        phasePanels += (<usize>(padded * depth)) << 2;
        phaseTaps += (<usize>depth) << 2;
      }
  }
}
