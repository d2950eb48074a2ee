// Pixels to blocks and back, over rows of images: nearest upsampling and sums of blocks.

/** Every pixel becomes a block of factor × factor, times `scale`; an item is a row of W pixels of x. */
export function upsampleRows(start: i32, end: i32, x: usize, y: usize, W: i32, factor: i32, scale: f32): void {
  const OW = W * factor;
  const row = (<usize>OW) << 2;
  const s = f32x4.splat(scale);
  for (let item = start; item < end; item++) {
    const from = x + (((<usize>item) * (<usize>W)) << 2);
    const to = y + (<usize>item) * row * (<usize>factor);
    let w: i32 = 0;
    if (factor == 2)
      for (; w + 4 <= W; w += 4) {
        const v = f32x4.mul(v128.load(from + ((<usize>w) << 2)), s);
        const q = to + ((<usize>w) << 3);
        v128.store(q, v128.shuffle<i32>(v, v, 0, 0, 1, 1));
        v128.store(q, v128.shuffle<i32>(v, v, 2, 2, 3, 3), 16);
      }
    for (; w < W; w++) {
      const v = load<f32>(from + ((<usize>w) << 2)) * scale;
      const q = to + ((<usize>(w * factor)) << 2);
      for (let i: i32 = 0; i < factor; i++) store<f32>(q + ((<usize>i) << 2), v);
    }
    for (let i: i32 = 1; i < factor; i++) memory.copy(to + (<usize>i) * row, to, row);
  }
}

/** scale · the sum of each block of factor × factor pixels; an item is a row of OW pixels of y. */
export function sumPoolRows(start: i32, end: i32, x: usize, y: usize, OW: i32, factor: i32, scale: f32): void {
  const row = (<usize>(OW * factor)) << 2;
  const s = f32x4.splat(scale);
  for (let item = start; item < end; item++) {
    const from = x + (<usize>item) * row * (<usize>factor);
    const to = y + (((<usize>item) * (<usize>OW)) << 2);
    let w: i32 = 0;
    if (factor == 2)
      for (; w + 4 <= OW; w += 4) {
        const p = from + ((<usize>w) << 3);
        const low = f32x4.add(v128.load(p), v128.load(p + row));
        const high = f32x4.add(v128.load(p, 16), v128.load(p + row, 16));
        const even = v128.shuffle<i32>(low, high, 0, 2, 4, 6);
        const odd = v128.shuffle<i32>(low, high, 1, 3, 5, 7);
        v128.store(to + ((<usize>w) << 2), f32x4.mul(f32x4.add(even, odd), s));
      }
    for (; w < OW; w++) {
      let total: f32 = 0;
      const p = from + ((<usize>(w * factor)) << 2);
      // Column by column, as the vectors do.
      for (let j: i32 = 0; j < factor; j++) {
        let column: f32 = 0;
        for (let i: i32 = 0; i < factor; i++) column += load<f32>(p + (<usize>i) * row + ((<usize>j) << 2));
        total += column;
      }
      store<f32>(to + ((<usize>w) << 2), total * scale);
    }
  }
}
