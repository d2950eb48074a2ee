// What the three convolution products share: zero-padded planes of the image, cut into stride phases so that every
// tap is a plain offset, and the register tile that multiplies weights by them. Nothing the size of im2col is ever
// written.

import { tileRows } from "./gemmTile.ts";
import { madd } from "./simd.ts";
import { WIDE } from "./wide.ts";
import { fourTapped, sixTapped } from "./wideTile.ts";

/**
 * Pixels of a group: one vector, neighbours within a row. A tile is 6 or 4 channels by two groups, which may lie
 * anywhere.
 */
export const GROUP: i32 = 4;

/** Longest run of taps · channels between visits to the output; its weights for 6 channels take 13 KB. */
const MAX_DEPTH: i32 = 576;

/** Groups that share a pass over the weights: their window of the planes stays in the first-level cache. */
const GROUPS_PER_PASS: i32 = 16;

/** Bytes of one entry of a list of groups: where it starts in the planes, in the output, and its pixels. */
export const GROUP_ENTRY: i32 = 12;

/**
 * Copies planes of one image, padded with zeros: plane (channel, i, j) at `to + ((channel·iCount + i)·jCount +
 * j)·planeBytes` has at row y, column x the pixel (h0 + y·strideH + i, w0 + x·strideW + j). With strides of 1 there
 * is one phase.
 */
export function packPlanes(
  from: usize,
  channels: i32,
  H: i32,
  W: i32,
  h0: i32,
  w0: i32,
  strideH: i32,
  strideW: i32,
  iCount: i32,
  jCount: i32,
  rows: i32,
  pitch: i32,
  planeBytes: usize,
  to: usize,
): void {
  for (let channel = 0; channel < channels; channel++)
    for (let i = 0; i < iCount; i++)
      for (let j = 0; j < jCount; j++) {
        const left = w0 + j;
        // Columns low … high - 1 lie inside the image.
        const low = min(left >= 0 ? 0 : (strideW - 1 - left) / strideW, pitch);
        const high = max(low, min(left >= W ? 0 : (W - left + strideW - 1) / strideW, pitch));
        let row = to;
        for (let y = 0; y < rows; y++) {
          const h = h0 + y * strideH + i;
          if (h < 0 || h >= H) fillZeros(row, pitch);
          else {
            fillZeros(row, low);
            const source = from + ((<usize>(h * W + left + low * strideW)) << 2);
            if (strideW == 1) copyRow(source, row + ((<usize>low) << 2), high - low);
            else
              for (let x = 0; x < high - low; x++)
                store<f32>(
                  row + ((<usize>(low + x)) << 2),
                  load<f32>(source + ((<usize>(x * strideW)) << 2)),
                );
            fillZeros(row + ((<usize>high) << 2), pitch - high);
          }
          row += (<usize>pitch) << 2;
        }
        to += planeBytes;
        if (i == iCount - 1 && j == jCount - 1) from += (<usize>(H * W)) << 2;
      }
}

// Rows are short (8 to 64 pixels), where memory.copy and memory.fill cost more than they move.
@inline
function fillZeros(to: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(to, f32x4.splat(0));
    to += 16;
  }
  for (; count > 0; count--) {
    store<f32>(to, 0);
    to += 4;
  }
}

@inline
export function copyRow(from: usize, to: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
  }
  for (; count > 0; count--) {
    store<f32>(to, load<f32>(from));
    from += 4;
    to += 4;
  }
}

/**
 * Lists the groups of rows × columns pixels. `inStep` bytes from row to row in the planes; in the output `rowStep`
 * bytes from row to row and `pixelStep` from pixel to pixel. Returns their number. Wide tiles want pairs of neighbours,
 * so the last group of a row that has none comes after all pairs.
 */
export function listGroups(
  list: usize,
  rows: i32,
  columns: i32,
  inStart: usize,
  inStep: usize,
  outStart: usize,
  rowStep: usize,
  pixelStep: usize,
): i32 {
  const whole = WIDE ? columns & -(2 * GROUP) : columns;
  let count = 0;
  for (let from = 0, to = whole; from < columns; from = to, to = columns)
    for (let y = 0; y < rows; y++)
      for (let x = from; x < to; x += GROUP) {
        store<u32>(list, <u32>(inStart + <usize>y * inStep + ((<usize>x) << 2)));
        store<u32>(list, <u32>(outStart + <usize>y * rowStep + <usize>x * pixelStep), 4);
        store<i32>(list, min(GROUP, columns - x), 8);
        list += GROUP_ENTRY;
        count++;
      }
  return count;
}

/** First channel of panel number `index` of `channels`; panels are as wide as tiles. */
export function panelStart(index: i32, channels: i32): i32 {
  let at = 0;
  for (; index > 0; index--) at += tileRows(channels - at);
  return at;
}

/** Writes (or adds to) the pixels of a group one by one. */
function storePixels(
  to: usize,
  value: v128,
  pixels: i32,
  pixelStep: usize,
  accumulate: bool,
): void {
  if (pixels > 0) storePixel(to, f32x4.extract_lane(value, 0), accumulate);
  to += pixelStep;
  if (pixels > 1) storePixel(to, f32x4.extract_lane(value, 1), accumulate);
  to += pixelStep;
  if (pixels > 2) storePixel(to, f32x4.extract_lane(value, 2), accumulate);
  to += pixelStep;
  if (pixels > 3) storePixel(to, f32x4.extract_lane(value, 3), accumulate);
}

@inline
function storePixel(to: usize, value: f32, accumulate: bool): void {
  store<f32>(to, accumulate ? load<f32>(to) + value : value);
}

@inline
function addTo(to: usize, value: v128): void {
  v128.store(to, f32x4.add(v128.load(to), value));
}

/** Six channels of two groups: Σ_k panel[k][·] · planes[group + taps[k]]. */
function sixChannels(
  depth: i32,
  panel: usize,
  taps: usize,
  p0: usize,
  p1: usize,
  out0: usize,
  out1: usize,
  pixels0: i32,
  pixels1: i32,
  channelStep: usize,
  pixelStep: usize,
  accumulate: bool,
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
  for (const last = taps + ((<usize>depth) << 2); taps < last; taps += 4) {
    const tap = <usize>load<u32>(taps);
    const b0 = v128.load(p0 + tap);
    const b1 = v128.load(p1 + tap);
    let x = v128.load32_splat(panel);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load32_splat(panel, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load32_splat(panel, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load32_splat(panel, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    x = v128.load32_splat(panel, 16);
    c40 = madd(x, b0, c40);
    c41 = madd(x, b1, c41);
    x = v128.load32_splat(panel, 20);
    c50 = madd(x, b0, c50);
    c51 = madd(x, b1, c51);
    panel += 24;
  }
  if (pixels0 == GROUP && pixels1 == GROUP && pixelStep == 4) {
    if (accumulate) {
      addTo(out0, c00);
      addTo(out1, c01);
      out0 += channelStep;
      out1 += channelStep;
      addTo(out0, c10);
      addTo(out1, c11);
      out0 += channelStep;
      out1 += channelStep;
      addTo(out0, c20);
      addTo(out1, c21);
      out0 += channelStep;
      out1 += channelStep;
      addTo(out0, c30);
      addTo(out1, c31);
      out0 += channelStep;
      out1 += channelStep;
      addTo(out0, c40);
      addTo(out1, c41);
      out0 += channelStep;
      out1 += channelStep;
      addTo(out0, c50);
      addTo(out1, c51);
    } else {
      v128.store(out0, c00);
      v128.store(out1, c01);
      out0 += channelStep;
      out1 += channelStep;
      v128.store(out0, c10);
      v128.store(out1, c11);
      out0 += channelStep;
      out1 += channelStep;
      v128.store(out0, c20);
      v128.store(out1, c21);
      out0 += channelStep;
      out1 += channelStep;
      v128.store(out0, c30);
      v128.store(out1, c31);
      out0 += channelStep;
      out1 += channelStep;
      v128.store(out0, c40);
      v128.store(out1, c41);
      out0 += channelStep;
      out1 += channelStep;
      v128.store(out0, c50);
      v128.store(out1, c51);
    }
    return;
  }
  storePixels(out0, c00, pixels0, pixelStep, accumulate);
  storePixels(out1, c01, pixels1, pixelStep, accumulate);
  out0 += channelStep;
  out1 += channelStep;
  storePixels(out0, c10, pixels0, pixelStep, accumulate);
  storePixels(out1, c11, pixels1, pixelStep, accumulate);
  out0 += channelStep;
  out1 += channelStep;
  storePixels(out0, c20, pixels0, pixelStep, accumulate);
  storePixels(out1, c21, pixels1, pixelStep, accumulate);
  out0 += channelStep;
  out1 += channelStep;
  storePixels(out0, c30, pixels0, pixelStep, accumulate);
  storePixels(out1, c31, pixels1, pixelStep, accumulate);
  out0 += channelStep;
  out1 += channelStep;
  storePixels(out0, c40, pixels0, pixelStep, accumulate);
  storePixels(out1, c41, pixels1, pixelStep, accumulate);
  out0 += channelStep;
  out1 += channelStep;
  storePixels(out0, c50, pixels0, pixelStep, accumulate);
  storePixels(out1, c51, pixels1, pixelStep, accumulate);
}

/** The same for a panel of four channels, of which the last may hold fewer. */
function fourChannels(
  depth: i32,
  panel: usize,
  taps: usize,
  p0: usize,
  p1: usize,
  out0: usize,
  out1: usize,
  pixels0: i32,
  pixels1: i32,
  channelStep: usize,
  channels: i32,
  pixelStep: usize,
  accumulate: bool,
): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  for (const last = taps + ((<usize>depth) << 2); taps < last; taps += 4) {
    const tap = <usize>load<u32>(taps);
    const b0 = v128.load(p0 + tap);
    const b1 = v128.load(p1 + tap);
    let x = v128.load32_splat(panel);
    c00 = madd(x, b0, c00);
    c01 = madd(x, b1, c01);
    x = v128.load32_splat(panel, 4);
    c10 = madd(x, b0, c10);
    c11 = madd(x, b1, c11);
    x = v128.load32_splat(panel, 8);
    c20 = madd(x, b0, c20);
    c21 = madd(x, b1, c21);
    x = v128.load32_splat(panel, 12);
    c30 = madd(x, b0, c30);
    c31 = madd(x, b1, c31);
    panel += 16;
  }
  if (pixels0 == GROUP && pixels1 == GROUP && channels >= 4 && pixelStep == 4) {
    if (accumulate) {
      addTo(out0, c00);
      addTo(out1, c01);
      out0 += channelStep;
      out1 += channelStep;
      addTo(out0, c10);
      addTo(out1, c11);
      out0 += channelStep;
      out1 += channelStep;
      addTo(out0, c20);
      addTo(out1, c21);
      out0 += channelStep;
      out1 += channelStep;
      addTo(out0, c30);
      addTo(out1, c31);
    } else {
      v128.store(out0, c00);
      v128.store(out1, c01);
      out0 += channelStep;
      out1 += channelStep;
      v128.store(out0, c10);
      v128.store(out1, c11);
      out0 += channelStep;
      out1 += channelStep;
      v128.store(out0, c20);
      v128.store(out1, c21);
      out0 += channelStep;
      out1 += channelStep;
      v128.store(out0, c30);
      v128.store(out1, c31);
    }
    return;
  }
  storePixels(out0, c00, pixels0, pixelStep, accumulate);
  storePixels(out1, c01, pixels1, pixelStep, accumulate);
  if (channels < 2) return;
  out0 += channelStep;
  out1 += channelStep;
  storePixels(out0, c10, pixels0, pixelStep, accumulate);
  storePixels(out1, c11, pixels1, pixelStep, accumulate);
  if (channels < 3) return;
  out0 += channelStep;
  out1 += channelStep;
  storePixels(out0, c20, pixels0, pixelStep, accumulate);
  storePixels(out1, c21, pixels1, pixelStep, accumulate);
  if (channels < 4) return;
  out0 += channelStep;
  out1 += channelStep;
  storePixels(out0, c30, pixels0, pixelStep, accumulate);
  storePixels(out1, c31, pixels1, pixelStep, accumulate);
}

/** Whether a group of the list and the next are eight neighbours, in the planes and in the output. */
@inline
function isPair(entry: usize): bool {
  return (
    load<u32>(entry, GROUP_ENTRY) == load<u32>(entry) + 16 &&
    load<u32>(entry, GROUP_ENTRY + 4) == load<u32>(entry, 4) + 16 &&
    load<i32>(entry, 8) == GROUP &&
    load<i32>(entry, GROUP_ENTRY + 8) == GROUP
  );
}

/** out[channel][group] = Σ_k weights[channel][k] · planes[group + taps[k]] for all channels and listed groups. */
export function convMultiply(
  planes: usize,
  groups: usize,
  groupCount: i32,
  panels: usize,
  taps: usize,
  depth: i32,
  channels: i32,
  out: usize,
  channelStep: usize,
  pixelStep: usize,
): void {
  const cuts = max((depth + MAX_DEPTH - 1) / MAX_DEPTH, 1);
  const part = (depth + cuts - 1) / cuts;
  for (let pass = 0; pass < groupCount; pass += GROUPS_PER_PASS) {
    const passEnd = min(pass + GROUPS_PER_PASS, groupCount);
    let k = 0;
    do {
      const terms = min(part, depth - k);
      const tapsHere = taps + ((<usize>k) << 2);
      for (let channel = 0; channel < channels; ) {
        const rows = tileRows(channels - channel);
        const panel = panels + ((<usize>(channel * depth + k * rows)) << 2);
        const to = out + <usize>channel * channelStep;
        const left = channels - channel;
        for (let g = pass, taken = 2; g < passEnd; g += taken) {
          const first = groups + <usize>(g * GROUP_ENTRY);
          const add = k > 0;
          if (WIDE && g + 4 <= passEnd && pixelStep == 4 && isPair(first) && isPair(first + 2 * GROUP_ENTRY)) {
            taken = 4;
            const third = first + 2 * GROUP_ENTRY;
            const b0 = planes + load<u32>(first);
            const b1 = planes + load<u32>(third);
            const to0 = to + load<u32>(first, 4);
            const to1 = to + load<u32>(third, 4);
            if (rows == 6) sixTapped(terms, panel, tapsHere, b0, b1, to0, to1, channelStep, add);
            else fourTapped(terms, panel, tapsHere, b0, b1, to0, to1, channelStep, left, add);
            continue;
          }
          taken = 2;
          // A last odd group is paired with itself and stored once.
          const paired = g + 1 < passEnd;
          const second = paired ? first + GROUP_ENTRY : first;
          const p0 = planes + load<u32>(first);
          const p1 = planes + load<u32>(second);
          const o0 = to + load<u32>(first, 4);
          const o1 = to + load<u32>(second, 4);
          const n0 = load<i32>(first, 8);
          const n1 = paired ? load<i32>(second, 8) : 0;
          if (rows == 6)
            sixChannels(
              terms,
              panel,
              tapsHere,
              p0,
              p1,
              o0,
              o1,
              n0,
              n1,
              channelStep,
              pixelStep,
              add,
            );
          else
            fourChannels(
              terms,
              panel,
              tapsHere,
              p0,
              p1,
              o0,
              o1,
              n0,
              n1,
              channelStep,
              left,
              pixelStep,
              add,
            );
        }
        channel += rows;
      }
      k += part;
    } while (k < depth);
  }
}
