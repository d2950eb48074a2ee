/** Samples for one step of training: row b of `x` has label `label[b]`. */
export interface Batch {
  /** Samples [B, …sampleShape], row-major, scaled so that the dataset's documented range holds. */
  readonly x: Float32Array;
  /** Labels [B], 0 … classes - 1; for data without classes what the dataset documents. */
  readonly label: Int32Array;
}

/** Where samples come from. A dataset holds no position: all randomness comes in, so a resumed run repeats. */
export interface Dataset {
  readonly name: string;
  /** Shape of one sample: [C, H, W] for images, [D] for points. */
  readonly sampleShape: readonly number[];
  /** Number of classes a network can be conditioned on; 0 for none. */
  readonly classes: number;
  /** Number of samples; Infinity for synthetic data. */
  readonly size: number;
  /**
   * A number draws that many samples at random, with replacement; a list takes the samples with those indices.
   * `random` gives independent uniform numbers in [0, 1) and is called a fixed number of times a sample.
   */
  batch(which: number | ArrayLike<number>, random: () => number): Batch;
  /** The indices of the samples that `batch` with that number would take, where the data are stored. */
  choose?(count: number, random: () => number): ArrayLike<number>;
  /** All held-out samples, where the dataset has them. */
  test?(): Batch & { readonly count: number };
}
