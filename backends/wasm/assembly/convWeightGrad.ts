// Weight gradient of a convolution: a matrix product over batch and pixels.

import { copyRow, GROUP, packPlanes } from "./lib/convTile.ts";
import { tileRows } from "./lib/gemmTile.ts";
import { madd } from "./lib/simd.ts";

/** The sums of a tile: 12 vectors. */
const SUMS_BYTES: usize = 192;

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
        for (let tap = 0; tap < taps; tap += 2) {
          const second = min(tap + 1, taps - 1);
          const p0 = window + load<u32>(tapList + ((<usize>tap) << 2));
          const p1 = window + load<u32>(tapList + ((<usize>second) << 2));
          const to = out + ((<usize>(o * width + tap)) << 2);
          const step = (<usize>width) << 2;
          if (rows == 6) sixOutputs(passCount, panel, groups, p0, p1, own);
          else fourOutputs(passCount, panel, groups, p0, p1, own);
          addSums(own, to, step, min(rows, left), second - tap);
        }
        o += rows;
      }
    }
  }
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

/**
 * 6 outputs × 2 taps: the products of `count` groups of 4 pixels, to sums[6][2] with lanes yet to be added up. That
 * is left to another function: where sums are combined right here, V8 reorders the loop after their uses, and spills.
 * Exported only so that it stays a function: inlined into its caller it spills too.
 */
export function sixOutputs(
  count: i32,
  panel: usize,
  groups: usize,
  p0: usize,
  p1: usize,
  sums: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  let c40 = c00;
  let c41 = c00;
  let c50 = c00;
  let c51 = c00;
  for (const last = groups + ((<usize>count) << 2); groups < last; groups += 4) {
    const group = <usize>load<u32>(groups);
    const b0 = v128.load(p0 + group);
    const b1 = v128.load(p1 + group);
    let x = v128.load(panel);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load(panel, 16);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load(panel, 32);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load(panel, 48);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    x = v128.load(panel, 64);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    x = v128.load(panel, 80);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
    panel += 96;
  }
  v128.store(sums, c00, 0);
  v128.store(sums, c01, 16);
  v128.store(sums, c10, 32);
  v128.store(sums, c11, 48);
  v128.store(sums, c20, 64);
  v128.store(sums, c21, 80);
  v128.store(sums, c30, 96);
  v128.store(sums, c31, 112);
  v128.store(sums, c40, 128);
  v128.store(sums, c41, 144);
  v128.store(sums, c50, 160);
  v128.store(sums, c51, 176);
}

/** The same for 4 outputs. */
export function fourOutputs(
  count: i32,
  panel: usize,
  groups: usize,
  p0: usize,
  p1: usize,
  sums: usize,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  for (const last = groups + ((<usize>count) << 2); groups < last; groups += 4) {
    const group = <usize>load<u32>(groups);
    const b0 = v128.load(p0 + group);
    const b1 = v128.load(p1 + group);
    let x = v128.load(panel);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load(panel, 16);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load(panel, 32);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load(panel, 48);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    panel += 64;
  }
  v128.store(sums, c00, 0);
  v128.store(sums, c01, 16);
  v128.store(sums, c10, 32);
  v128.store(sums, c11, 48);
  v128.store(sums, c20, 64);
  v128.store(sums, c21, 80);
  v128.store(sums, c30, 96);
  v128.store(sums, c31, 112);
}

/** Lane i of the result is the sum of the lanes of the i-th vector. */
@inline
function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Adds the lanes of sums[outputs][2] to one or two taps of the weight. */
function addSums(sums: usize, out: usize, outStep: usize, outputs: i32, secondTap: i32): void {
  for (let o = 0; o < outputs; o += 2) {
    const next = sums + 32;
    const lanes = sumEach(
      v128.load(sums),
      v128.load(sums, 16),
      v128.load(next),
      v128.load(next, 16),
    );
    store<f32>(out, load<f32>(out) + f32x4.extract_lane(lanes, 0));
    if (secondTap) store<f32>(out, load<f32>(out, 4) + f32x4.extract_lane(lanes, 1), 4);
    if (o + 1 == outputs) return;
    out += outStep;
    store<f32>(out, load<f32>(out) + f32x4.extract_lane(lanes, 2));
    if (secondTap) store<f32>(out, load<f32>(out, 4) + f32x4.extract_lane(lanes, 3), 4);
    out += outStep;
    sums += 64;
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
