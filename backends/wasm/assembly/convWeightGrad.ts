// Weight gradient of a convolution: a matrix product over batch and pixels.

import { fourOutputs, fourOutputsWide, sixOutputs, sixOutputsWide } from "./convWeightGradTile.ts";
import { copyRow, GROUP, packPlanes } from "./lib/convTile.ts";
import { tileRows } from "./lib/gemmTile.ts";
import { addSums, SUMS_BYTES, TAP_BYTES } from "./lib/tapSums.ts";
import { WIDE } from "./lib/wide.ts";

/**
 * partial[chunk][o][c,r,s] = Σ dy[b,o] ⋆ x[b,c] over the units of a chunk; a unit is a strip of `stripRows` output
 * rows of one image, and `unitsPerPass` of them are packed and multiplied at a time. The vectors run along pixels, so
 * neither operand is transposed. An item is (chunk, block of `oBlock` outputs, block of `cBlock` channels); chunks
 * are fixed by the shape, so the sums are the same bits on any number of threads.
 * Own space: sums of a tile, taps, groups, panels of dy, planes of x (unless a pointwise convolution reads x
 * `inPlace`).
 */
export function convWeightGrad(
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
  cBlock: i32,
  oBlock: i32,
  unitsPerPass: i32,
  unitsPerChunk: i32,
  inPlace: i32,
): void {
  const area = R * S;
  const iCount = min(strideH, R);
  const jCount = min(strideW, S);
  const planeBytes = (<usize>planeElements) << 2;
  const rowGroups = (OW + GROUP - 1) / GROUP;
  const unitGroups = stripRows * rowGroups;
  // In place, units of one pass are whole images.
  const unitBytes = <usize>(inPlace ? C : cBlock * iCount * jCount) * planeBytes;
  const passGroups = unitsPerPass * unitGroups;
  const tapList = own + SUMS_BYTES;
  const groups = tapList + ((<usize>(cBlock * area)) << 2);
  const panels = groups + ((<usize>passGroups) << 2);
  const planes = panels + ((<usize>((oBlock + 3) * passGroups)) << 4);

  let at = tapList;
  for (let c = 0; c < cBlock; c++)
    for (let r = 0; r < R; r++)
      for (let s = 0; s < S; s++) {
        const plane = (c * iCount + (r % strideH)) * jCount + (s % strideW);
        store<u32>(
          at,
          <u32>(<usize>plane * planeBytes + ((<usize>((r / strideH) * pitch + s / strideW)) << 2)),
        );
        at += 4;
      }
  for (let unit = 0; unit < unitsPerPass; unit++)
    for (let row = 0; row < stripRows; row++)
      for (let g = 0; g < rowGroups; g++) {
        store<u32>(at, <u32>(<usize>unit * unitBytes + ((<usize>(row * pitch + g * GROUP)) << 2)));
        at += 4;
      }

  const strips = (OH + stripRows - 1) / stripRows;
  const units = B * strips;
  const cBlocks = (C + cBlock - 1) / cBlock;
  const oBlocks = (O + oBlock - 1) / oBlock;
  const width = C * area;
  for (let item = start; item < end; item++) {
    const c0 = (item % cBlocks) * cBlock;
    const channels = min(cBlock, C - c0);
    const o0 = ((item / cBlocks) % oBlocks) * oBlock;
    const outputs = min(oBlock, O - o0);
    const chunk = item / (cBlocks * oBlocks);
    const out = partial + ((<usize>((chunk * O + o0) * width + c0 * area)) << 2);
    for (let o = 0; o < outputs; o++)
      memory.fill(out + ((<usize>(o * width)) << 2), 0, (<usize>(channels * area)) << 2);

    const lastUnit = min((chunk + 1) * unitsPerChunk, units);
    for (let unit = chunk * unitsPerChunk; unit < lastUnit; unit += unitsPerPass) {
      const count = min(unitsPerPass, lastUnit - unit);
      let window = planes;
      for (let u = 0; u < count; u++) {
        const image = (unit + u) / strips;
        const top = ((unit + u) % strips) * stripRows;
        const source = x + ((<usize>((image * C + c0) * H * W)) << 2);
        if (inPlace) {
          if (u == 0) window = source + ((<usize>(top * W)) << 2);
        } else
          packPlanes(
            source,
            channels,
            H,
            W,
            top * strideH - padH,
            -padW,
            strideH,
            strideW,
            iCount,
            jCount,
            stripRows + (R - 1) / strideH,
            pitch,
            planeBytes,
            planes + <usize>u * unitBytes,
          );
        packOutputs(
          dy + ((<usize>(((image * O + o0) * OH + top) * OW)) << 2),
          outputs,
          min(stripRows, OH - top),
          stripRows,
          OH,
          OW,
          u * unitGroups,
          passGroups,
          panels,
        );
      }
      const passCount = count * unitGroups;
      const taps = channels * area;
      for (let o = 0; o < outputs; ) {
        const rows = tileRows(outputs - o);
        const panel = panels + ((<usize>(o * passGroups)) << 4);
        const left = outputs - o;
        const step = (<usize>width) << 2;
        const rest = min(rows, left);
        // More taps at a time where the engine joins vectors; what is left of them two at a time.
        const together = WIDE ? (rows == 6 ? 3 : 4) : taps + 1;
        let tap = 0;
        for (; tap + together <= taps; tap += together) {
          const to = out + ((<usize>(o * width + tap)) << 2);
          const p0 = window + tapAt(tapList, tap);
          const p1 = window + tapAt(tapList, tap + 1);
          const p2 = window + tapAt(tapList, tap + 2);
          if (rows == 6) sixOutputsWide(passCount, panel, groups, p0, p1, p2, own);
          else fourOutputsWide(passCount, panel, groups, p0, p1, p2, window + tapAt(tapList, tap + 3), own);
          addSums(own, to, step, rest, 1);
          addSums(own + 2 * TAP_BYTES, to + 8, step, rest, rows == 4);
        }
        for (; tap < taps; tap += 2) {
          const to = out + ((<usize>(o * width + tap)) << 2);
          const p0 = window + tapAt(tapList, tap);
          const p1 = window + tapAt(tapList, min(tap + 1, taps - 1));
          if (rows == 6) sixOutputs(passCount, panel, groups, p0, p1, own);
          else fourOutputs(passCount, panel, groups, p0, p1, own);
          addSums(own, to, step, rest, tap + 1 < taps);
        }
        o += rows;
      }
    }
  }
}

@inline
function tapAt(list: usize, tap: i32): usize {
  return <usize>load<u32>(list + ((<usize>tap) << 2));
}

/**
 * Packs dy as panels [group][6 or 4 outputs][4 pixels], `groups` of them from one panel to the next; zeros beyond the
 * edges, where the planes of x hold something else.
 */
function packOutputs(
  dy: usize,
  outputs: i32,
  rows: i32,
  stripRows: i32,
  OH: i32,
  OW: i32,
  firstGroup: i32,
  groups: i32,
  panels: usize,
): void {
  const whole = OW & ~3;
  for (let first = 0; first < outputs; ) {
    const width = tileRows(outputs - first);
    const step = (<usize>width) << 4;
    for (let m = 0; m < width; m++) {
      const o = first + m;
      let to = panels + ((<usize>(first * groups + firstGroup * width + m)) << 4);
      for (let row = 0; row < stripRows; row++) {
        const inside = o < outputs && row < rows;
        const from = dy + ((<usize>((o * OH + row) * OW)) << 2);
        for (let x = 0; x < whole; x += 4) {
          v128.store(to, inside ? v128.load(from + ((<usize>x) << 2)) : f32x4.splat(0));
          to += step;
        }
        if (whole < OW) {
          v128.store(to, f32x4.splat(0));
          if (inside) copyRow(from + ((<usize>whole) << 2), to, OW - whole);
          to += step;
        }
      }
    }
    first += width;
  }
}

/** dw = Σ_chunk partial[chunk], in order. An item is an element. */
export function convReduceWeightGrad(
  start: i32,
  end: i32,
  partial: usize,
  dw: usize,
  elements: i32,
  chunks: i32,
): void {
  let i = start;
  for (; i + 4 <= end; i += 4) {
    let sum = v128.load(partial + ((<usize>i) << 2));
    for (let chunk = 1; chunk < chunks; chunk++)
      sum = f32x4.add(sum, v128.load(partial + ((<usize>(chunk * elements + i)) << 2)));
    v128.store(dw + ((<usize>i) << 2), sum);
  }
  for (; i < end; i++) {
    let sum = load<f32>(partial + ((<usize>i) << 2));
    for (let chunk = 1; chunk < chunks; chunk++)
      sum += load<f32>(partial + ((<usize>(chunk * elements + i)) << 2));
    store<f32>(dw + ((<usize>i) << 2), sum);
  }
}
