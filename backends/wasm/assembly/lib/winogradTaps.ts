// Nine taps of four neighbouring channels: in a tensor channel by channel, in vectors tap by tap.

import { transpose } from "./shuffles.ts";

/** Bytes of nine vectors. */
export const TAPS_BYTES: usize = 144;

/**
 * Loads the taps of up to four of `channels` channels into vectors of which a lane is a channel. Lanes beyond the last
 * channel repeat the first one. Reads nothing beyond. Scratch: as much as the result, behind it.
 */
export function loadTaps(from: usize, channels: i32, taps: usize): void {
  if (channels < 4) {
    const copy = taps + TAPS_BYTES;
    for (let lane = 0; lane < 4; lane++)
      memory.copy(copy + <usize>(lane * 36), from + <usize>((lane < channels ? lane : 0) * 36), 36);
    from = copy;
  }
  for (let i: usize = 0; i < 32; i += 16)
    transpose(
      v128.load(from + i),
      v128.load(from + i, 36),
      v128.load(from + i, 72),
      v128.load(from + i, 108),
      taps + (i << 2),
      16,
    );
  let last = v128.load32_zero(from, 32);
  last = v128.load32_lane(from, last, 1, 68);
  last = v128.load32_lane(from, last, 2, 104);
  last = v128.load32_lane(from, last, 3, 140);
  v128.store(taps, last, 128);
}

/** The way back: writes the taps of up to four channels. Scratch: as much as the taps, behind them. */
export function storeTaps(taps: usize, to: usize, channels: i32): void {
  const whole = channels >= 4;
  const at = whole ? to : taps + TAPS_BYTES;
  for (let i: usize = 0; i < 32; i += 16) {
    const from = taps + (i << 2);
    transpose(v128.load(from), v128.load(from, 16), v128.load(from, 32), v128.load(from, 48), at + i, 36);
  }
  const last = v128.load(taps, 128);
  v128.store32_lane(at, last, 0, 32);
  v128.store32_lane(at, last, 1, 68);
  v128.store32_lane(at, last, 2, 104);
  v128.store32_lane(at, last, 3, 140);
  if (!whole) memory.copy(to, at, <usize>(channels * 36));
}
