// Convolution of 3 × 3 taps and stride 1 by F(4×4, 3×3): tiles of 4 × 4 outputs cost 36 multiplications instead of 144.

import { panelStart } from "./lib/convTile.ts";
import { tileRows } from "./lib/gemmTile.ts";
import { paddedRows, panelTile } from "./lib/panelTile.ts";
import { MATRICES, MATRIX_PAD } from "./lib/winogradTransform.ts";
import { listRuns, ROW_MARGIN, RUN, transformRows } from "./lib/winogradTiles.ts";
import { transformTiles } from "./lib/winogradInput.ts";
import { TILE_ENTRY, writeTiles, writeTilePairs } from "./lib/winogradOutput.ts";
import { WIDE } from "./lib/wide.ts";

/**
 * y[b, first + o] = Σ_c weight[first + o, c] ⋆ x[b, c] for `outputs` of the O channels of y. An item is a block of
 * `blockTiles` tiles times `itemPanels` panels of outputs. Sums over channels are cut into parts of `cut`.
 * Own space: a row of zeros, lists, the transformed tiles [36][cut][tiles], their products [36][outputs][tiles], and
 * rows of patches.
 */
export function winogradForward(
  start: i32,
  end: i32,
  x: usize,
  U: usize,
  y: usize,
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
  first: i32,
  outputs: i32,
  itemPanels: i32,
  blockTiles: i32,
  cut: i32,
  pitchElements: i32,
): void {
  const tilesDown = (OH + 3) >> 2;
  const tilesAcross = (OW + 3) >> 2;
  const tiles = B * tilesDown * tilesAcross;
  const pitch = (<usize>pitchElements) << 2;
  const plane = (<usize>(H * W)) << 2;
  const outPlane = (<usize>(OH * OW)) << 2;
  const line = (<usize>blockTiles) << 2;
  const uStep = ((<usize>(paddedRows(outputs) * C)) << 2) + MATRIX_PAD;
  const vStep = <usize>cut * line + MATRIX_PAD;
  const mStep = <usize>(itemPanels * 6) * line + MATRIX_PAD;
  const zeros = own + ROW_MARGIN;
  const runs = zeros + pitch;
  const patches = runs + <usize>blockTiles * RUN;
  const entries = patches + line;
  const scratch = entries + <usize>blockTiles * TILE_ENTRY;
  const V = (scratch + 768 + 63) & ~63;
  const M = V + <usize>MATRICES * vStep;
  const rows = M + <usize>MATRICES * mStep;
  memory.fill(own, 0, ROW_MARGIN + pitch);

  let panels = 0;
  for (let o = 0; o < outputs; o += tileRows(outputs - o)) panels++;
  const parts = (panels + itemPanels - 1) / itemPanels;
  for (let item = start; item < end; item++) {
    const block = (item / parts) * blockTiles;
    const panel = (item % parts) * itemPanels;
    const o0 = panelStart(panel, outputs);
    const o1 = panelStart(min(panel + itemPanels, panels), outputs);
    const count = min(blockTiles, tiles - block);
    const groups = (count + 7) >> 3;
    const runCount = listRuns(runs, block, count, tilesDown, tilesAcross);
    memory.fill(rows, 0, <usize>runCount * 6 * pitch);
    listPatches(patches, pitch, runs, runCount, groups);
    listTiles(entries, O, OH, OW, runs, runCount, groups);

    for (let c0 = 0; c0 < C; c0 += cut) {
      const depth = min(cut, C - c0);
      for (let c = 0; c < depth; c++) {
        const source = x + <usize>(c0 + c) * plane;
        let to = rows + ROW_MARGIN;
        for (let run = runs; run < runs + <usize>runCount * RUN; run += RUN) {
          const left = (load<i32>(run, 8) << 2) - padW;
          const low = max(left, 0);
          const high = min(left + (load<i32>(run, 12) << 2) + 2, W);
          transformRows(
            source + <usize>(load<i32>(run) * C) * plane + ((<usize>low) << 2),
            (load<i32>(run, 4) << 2) - padH,
            H,
            W,
            high - low,
            zeros,
            to + ((<usize>(low - left)) << 2),
            pitch,
          );
          to += 6 * pitch;
        }
        transformTiles(patches, rows, groups, pitch, V + <usize>c * line, vStep);
      }
      for (let xi: usize = 0; xi < <usize>MATRICES; xi++)
        for (let o = o0; o < o1; ) {
          const width = tileRows(outputs - o);
          panelTile(
            width,
            groups << 3,
            depth,
            U + xi * uStep + ((<usize>(o * C + c0 * width)) << 2),
            (<usize>width) << 2,
            V + xi * vStep,
            line,
            M + xi * mStep + <usize>(o - o0) * line,
            line,
            c0 > 0,
          );
          o += width;
        }
    }
    for (let o = o0; o < min(o1, outputs); o++) {
      const from = M + <usize>(o - o0) * line;
      const channel = y + <usize>(first + o) * outPlane;
      for (let g = 0; g < groups; g++) {
        const at = from + ((<usize>g) << 5);
        const entry = entries + ((<usize>g) << 3) * TILE_ENTRY;
        if (WIDE) writeTilePairs(at, mStep, scratch, entry, channel, (<usize>OW) << 2);
        else {
          writeTiles(at, mStep, scratch, entry, channel, (<usize>OW) << 2);
          writeTiles(at + 16, mStep, scratch, entry + 4 * TILE_ENTRY, channel, (<usize>OW) << 2);
        }
      }
    }
  }
}

/**
 * Place of tile `t` among the columns of the products: of eight, first those of even number, so that neighbours in a row
 * are neighbours in a pair of vectors.
 */
@inline
function placeOf(t: i32): i32 {
  return (t & ~7) | ((t & 1) << 2) | ((t & 7) >> 1);
}

/** Where the patches of all tiles begin, in bytes from the rows, the last one again where eight are not full. */
function listPatches(list: usize, pitch: usize, runs: usize, runCount: i32, groups: i32): void {
  let t = 0;
  let at: usize = ROW_MARGIN;
  let last = at;
  for (let run = 0; run < runCount; run++) {
    for (let i = load<i32>(runs, 12); i > 0; i--) {
      last = at + ((<usize>(load<i32>(runs, 12) - i)) << 4);
      store<u32>(list + ((<usize>placeOf(t++)) << 2), <u32>last);
    }
    at += 6 * pitch;
    runs += RUN;
  }
  for (; t < groups << 3; t++) store<u32>(list + ((<usize>placeOf(t)) << 2), <u32>last);
}

/** Entries of the output tiles: number of the element in channel 0, rows and columns that are inside; none for tiles beyond the last. */
function listTiles(list: usize, O: i32, OH: i32, OW: i32, runs: usize, runCount: i32, groups: i32): void {
  let t = 0;
  for (let run = 0; run < runCount; run++) {
    const top = load<i32>(runs, 4) << 2;
    const image = load<i32>(runs) * O * OH;
    for (let i = 0; i < load<i32>(runs, 12); i++) {
      const left = (load<i32>(runs, 8) + i) << 2;
      const entry = list + <usize>placeOf(t++) * TILE_ENTRY;
      store<i32>(entry, (image + top) * OW + left);
      store<i32>(entry, (min(OH - top, 4) << 4) | min(OW - left, 4), 4);
    }
    runs += RUN;
  }
  for (; t < groups << 3; t++) store<i64>(list + <usize>placeOf(t) * TILE_ENTRY, 0);
}
