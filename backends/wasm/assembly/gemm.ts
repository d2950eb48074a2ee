// Matrix products c[M N] = a[M K] · b[K N], packed; small ones in place.

import {
  gemmBlock,
  gemmTiles,
  matrixAt,
  packColumns,
  packRows,
  TILE_COLUMNS,
  tileColumns,
  tileRows,
  transposeBlock,
} from "./lib/gemmTile.ts";
import { elementAt, widen } from "./lib/halves.ts";
import { madd, sumLanes } from "./lib/simd.ts";

/** Packs b, or a batch of them, into panels of 8 columns. An item is a panel. Own space, where b is transposed halves: 8·K. */
export function gemmPackB(
  start: i32,
  end: i32,
  b: usize,
  panels: usize,
  own: usize,
  K: i32,
  N: i32,
  transposed: i32,
  kind: i32,
): void {
  const perMatrix = (N + TILE_COLUMNS - 1) / TILE_COLUMNS;
  for (let item = start; item < end; item++) {
    const matrix = elementAt(b, (item / perMatrix) * K * N, kind);
    const panel = panels + ((<usize>(item * K)) << 5);
    const index = item % perMatrix;
    if (kind == 0) packPanel(matrix, panel, K, N, index, transposed);
    else packHalves(matrix, panel, own, K, N, index, transposed, kind);
  }
}

/** `packPanel` of halves. */
function packHalves(b: usize, panel: usize, own: usize, K: i32, N: i32, index: i32, transposed: i32, kind: i32): void {
  const n = index * TILE_COLUMNS;
  const columns = min(TILE_COLUMNS, N - n);
  if (transposed) {
    // The rows of b that are the columns lie one behind another.
    widen(elementAt(b, n * K, kind), own, columns * K, kind);
    packRows(own, (<usize>K) << 2, K, columns, panel);
    return;
  }
  if (columns < TILE_COLUMNS) memory.fill(panel, 0, (<usize>K) << 5);
  for (let k = 0; k < K; k++) widen(elementAt(b, k * N + n, kind), panel + ((<usize>k) << 5), columns, kind);
}

function packPanel(b: usize, panel: usize, K: i32, N: i32, index: i32, transposed: i32): void {
  const n = index * TILE_COLUMNS;
  const columns = min(TILE_COLUMNS, N - n);
  if (transposed) packRows(b + ((<usize>(n * K)) << 2), (<usize>K) << 2, K, columns, panel);
  else packColumns(b + ((<usize>n) << 2), (<usize>N) << 2, K, columns, panel);
}

/** Rows of a that are packed at a time: two cache lines of each row of its transpose. */
const PACKED_ROWS: i32 = 32;

/** Packs a stored as [K M], or a batch of them, as rows: [M K]. An item is a block of 32 rows. */
export function gemmPackA(start: i32, end: i32, a: usize, rows: usize, M: i32, K: i32): void {
  const perMatrix = (M + PACKED_ROWS - 1) / PACKED_ROWS;
  for (let item = start; item < end; item++) {
    const matrix = item / perMatrix;
    const m = (item % perMatrix) * PACKED_ROWS;
    transposeBlock(
      a + ((<usize>(matrix * M * K + m)) << 2),
      (<usize>M) << 2,
      rows + ((<usize>((matrix * M + m) * K)) << 2),
      (<usize>K) << 2,
      K,
      min(PACKED_ROWS, M - m),
    );
  }
}

/**
 * The product from packed b and rows of a. An item is a block of at most mBlock × nBlock of one matrix of the batch;
 * rows go by faster.
 */
export function gemm(
  start: i32,
  end: i32,
  a: usize,
  panels: usize,
  c: usize,
  M: i32,
  N: i32,
  K: i32,
  mBlock: i32,
  nBlock: i32,
  inner: i32,
  aOuter: i32,
  aInner: i32,
  bOuter: i32,
  bInner: i32,
): void {
  const down = (M + mBlock - 1) / mBlock;
  const across = (N + nBlock - 1) / nBlock;
  for (let item = start; item < end; item++) {
    const matrix = item / (down * across);
    const m = (item % down) * mBlock;
    const n = ((item / down) % across) * nBlock;
    gemmBlock(
      matrixAt(a, matrix, inner, aOuter, aInner),
      matrixAt(panels, matrix, inner, bOuter, bInner),
      c + ((<usize>(matrix * M * N)) << 2),
      (<usize>N) << 2,
      m,
      min(m + mBlock, M),
      n,
      min(n + nBlock, N),
      K,
    );
  }
}

/**
 * A batch of products that are packed as they come, in the thread's own space: K·N rounded up to panels for b, and
 * M·K for a where it is transposed. An item is one matrix.
 */
export function gemmBatch(
  start: i32,
  end: i32,
  a: usize,
  b: usize,
  c: usize,
  own: usize,
  M: i32,
  N: i32,
  K: i32,
  aTransposed: i32,
  bTransposed: i32,
  inner: i32,
  aOuter: i32,
  aInner: i32,
  bOuter: i32,
  bInner: i32,
): void {
  const panelCount = (N + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const ownA = own + ((<usize>(panelCount * K)) << 5);
  let packedB = usize.MAX_VALUE;
  let packedA = usize.MAX_VALUE;
  for (let item = start; item < end; item++) {
    const matrixB = matrixAt(b, item, inner, bOuter, bInner);
    let matrixA = matrixAt(a, item, inner, aOuter, aInner);
    if (matrixB != packedB) {
      for (let p = 0; p < panelCount; p++)
        packPanel(matrixB, own + ((<usize>(p * K)) << 5), K, N, p, bTransposed);
      packedB = matrixB;
    }
    if (aTransposed) {
      if (matrixA != packedA) transposeBlock(matrixA, (<usize>M) << 2, ownA, (<usize>K) << 2, K, M);
      packedA = matrixA;
      matrixA = ownA;
    }
    gemmBlock(matrixA, own, c + ((<usize>(item * M * N)) << 2), (<usize>N) << 2, 0, M, 0, N, K);
  }
}

/**
 * A product of few rows: b [K N] is read in place, since packing would cost as much as the product. An item is 8
 * columns.
 */
export function gemmFewRows(
  start: i32,
  end: i32,
  a: usize,
  b: usize,
  c: usize,
  M: i32,
  N: i32,
  K: i32,
  aRow: i32,
  aStep: i32,
  inner: i32,
  aOuter: i32,
  aInner: i32,
  bOuter: i32,
  bInner: i32,
): void {
  const across = (N + TILE_COLUMNS - 1) / TILE_COLUMNS;
  for (let item = start, taken = 1; item < end; item += taken) {
    const matrix = item / across;
    const n = (item % across) * TILE_COLUMNS;
    const matrixA = matrixAt(a, matrix, inner, aOuter, aInner);
    const matrixB = matrixAt(b, matrix, inner, bOuter, bInner) + ((<usize>n) << 2);
    const to = c + ((<usize>(matrix * M * N + n)) << 2);
    const width = item + 1 < end ? tileColumns(N - n) : TILE_COLUMNS;
    taken = width / TILE_COLUMNS;
    if (n + TILE_COLUMNS <= N) {
      for (let m = 0; m < M; ) {
        const rows = tileRows(M - m);
        gemmTiles(
          width,
          K,
          matrixA + ((<usize>(m * aRow)) << 2),
          (<usize>aRow) << 2,
          (<usize>aStep) << 2,
          matrixB,
          32,
          (<usize>N) << 2,
          to + ((<usize>(m * N)) << 2),
          (<usize>N) << 2,
          min(rows, M - m),
          TILE_COLUMNS,
          false,
        );
        m += rows;
      }
    } else
      for (let m = 0; m < M; m++)
        for (let j = 0; j < N - n; j++) {
          let sum: f32 = 0;
          for (let k = 0; k < K; k++)
            sum +=
              load<f32>(matrixA + ((<usize>(m * aRow + k * aStep)) << 2)) *
              load<f32>(matrixB + ((<usize>(k * N + j)) << 2));
          store<f32>(to + ((<usize>(m * N + j)) << 2), sum);
        }
  }
}

/** A product of few rows with b stored as [N K]: every element is a dot product along K. An item is a column. */
export function gemmFewRowsTransposed(
  start: i32,
  end: i32,
  a: usize,
  b: usize,
  c: usize,
  M: i32,
  N: i32,
  K: i32,
  inner: i32,
  aOuter: i32,
  aInner: i32,
  bOuter: i32,
  bInner: i32,
): void {
  for (let item = start; item < end; item++) {
    const matrix = item / N;
    const n = item % N;
    const matrixA = matrixAt(a, matrix, inner, aOuter, aInner);
    const row = matrixAt(b, matrix, inner, bOuter, bInner) + ((<usize>(n * K)) << 2);
    const to = c + ((<usize>(matrix * M * N + n)) << 2);
    for (let m = 0; m < M; m++)
      store<f32>(to + ((<usize>(m * N)) << 2), dot(matrixA + ((<usize>(m * K)) << 2), row, K));
  }
}

function dot(x: usize, y: usize, count: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let left = count;
  for (; left >= 8; left -= 8) {
    s0 = madd(v128.load(x), v128.load(y), s0);
    s1 = madd(v128.load(x, 16), v128.load(y, 16), s1);
    x += 32;
    y += 32;
  }
  let sum = sumLanes(f32x4.add(s0, s1));
  for (; left > 0; left--) {
    sum += load<f32>(x) * load<f32>(y);
    x += 4;
    y += 4;
  }
  return sum;
}
