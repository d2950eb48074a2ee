// Largest pixels of windows: down the rows of a window first, then along the row that is left.

/** Every second of eight pixels. */
@inline
function fourOfEight(at: usize): v128 {
  return v128.shuffle<i32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6);
}

/** to [W] ← the largest of `rows` rows of W pixels, `rows` ≥ 1. */
function largestOfRows(from: usize, rows: i32, W: i32, to: usize): void {
  const step = (<usize>W) << 2;
  let w: i32 = 0;
  for (; w + 4 <= W; w += 4) {
    let at = from + ((<usize>w) << 2);
    let largest = v128.load(at);
    for (let r: i32 = 1; r < rows; r++) {
      at += step;
      largest = f32x4.max(largest, v128.load(at));
    }
    v128.store(to + ((<usize>w) << 2), largest);
  }
  for (; w < W; w++) {
    let at = from + ((<usize>w) << 2);
    let largest = load<f32>(at);
    for (let r: i32 = 1; r < rows; r++) {
      at += step;
      largest = max<f32>(largest, load<f32>(at));
    }
    store<f32>(to + ((<usize>w) << 2), largest);
  }
}

/**
 * y[p, q] = the largest of x[p strideH - padH + r, q strideW - padW + s], r < R, s < S, that is inside; windows always reach
 * inside. An item is a row of y. Own space: a row of x with padW pixels of -∞ before it, and as many as windows reach behind.
 */
export function maxPoolRows(
  start: i32,
  end: i32,
  x: usize,
  y: usize,
  own: usize,
  H: i32,
  W: i32,
  OH: i32,
  OW: i32,
  R: i32,
  S: i32,
  strideH: i32,
  strideW: i32,
  padH: i32,
  padW: i32,
): void {
  const padded = max((OW - 1) * strideW + S, padW + W);
  for (let w: i32 = 0; w < padW; w++) store<f32>(own + ((<usize>w) << 2), -Infinity);
  for (let w = padW + W; w < padded; w++) store<f32>(own + ((<usize>w) << 2), -Infinity);
  const row = own + ((<usize>padW) << 2);
  for (let item = start; item < end; item++) {
    const image = item / OH;
    const first = (item % OH) * strideH - padH;
    const top = max(first, 0);
    const rows = min(first + R, H) - top;
    largestOfRows(x + ((<usize>(image * H + top) * <usize>W) << 2), rows, W, row);
    const to = y + (((<usize>item) * (<usize>OW)) << 2);
    let q: i32 = 0;
    if (strideW == 1)
      for (; q + 4 <= OW; q += 4) {
        const at = own + ((<usize>q) << 2);
        let largest = v128.load(at);
        for (let s: i32 = 1; s < S; s++) largest = f32x4.max(largest, v128.load(at + ((<usize>s) << 2)));
        v128.store(to + ((<usize>q) << 2), largest);
      }
    // The eighth pixel lies behind the fourth window: there is a fifth, or it is left to the loop below.
    else if (strideW == 2)
      for (; q + 5 <= OW; q += 4) {
        const at = own + ((<usize>q) << 3);
        let largest = fourOfEight(at);
        for (let s: i32 = 1; s < S; s++) largest = f32x4.max(largest, fourOfEight(at + ((<usize>s) << 2)));
        v128.store(to + ((<usize>q) << 2), largest);
      }
    for (; q < OW; q++) {
      const at = own + ((<usize>(q * strideW)) << 2);
      let largest = load<f32>(at);
      for (let s: i32 = 1; s < S; s++) largest = max<f32>(largest, load<f32>(at + ((<usize>s) << 2)));
      store<f32>(to + ((<usize>q) << 2), largest);
    }
  }
}
