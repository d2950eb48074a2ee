// States of two bytes an element as f32.

import { widen } from "./lib/halves.ts";

/** Elements of an item. */
const BLOCK: i32 = 1024;

/** y = x, whose `count` elements are f16 or bf16; an item is a block of 1024 of them. */
export function widenElements(start: i32, end: i32, x: usize, y: usize, count: i32, kind: i32): void {
  const first = start * BLOCK;
  const last = min(end * BLOCK, count);
  widen(x + ((<usize>first) << 1), y + ((<usize>first) << 2), last - first, kind);
}
