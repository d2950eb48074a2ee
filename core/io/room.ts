/** Memory to read into. New memory for each of many tensors would cost as much as reading them. */
export interface Room {
  /** So many bytes, which hold what is read into them until the next are taken. */
  take(bytes: number): Uint8Array;
}

/** The same memory for one thing after another. */
export class ReusedRoom implements Room {
  #bytes = new Uint8Array(0);

  take(bytes: number): Uint8Array {
    if (this.#bytes.length < bytes) this.#bytes = new Uint8Array(bytes);
    return this.#bytes.subarray(0, bytes);
  }
}
