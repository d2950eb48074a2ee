/** A picture in memory: rows from the top, pixels from the left, channels side by side. */
export interface Picture<Data extends Uint8Array | Float32Array = Uint8Array | Float32Array> {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for RGB. */
  readonly channels: number;
  /** [height, width, channels]; bytes, or floats of the same scale, 0 to 255. */
  readonly data: Data;
}
