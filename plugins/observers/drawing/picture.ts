/** A picture of 8-bit pixels, row by row from the top left, `channels` (1 grey, 3 RGB) interleaved. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** Red, green, blue, each 0…255. */
export type Colour = readonly [red: number, green: number, blue: number];
