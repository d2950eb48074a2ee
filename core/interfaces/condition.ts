import type { NoiseSource } from "../diffusion/noiseSource.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What an image is asked to show, and what else a network is told besides image and noise level. */
export interface Condition {
  /** Class indices, i32 [B]; absent for unconditional data. */
  readonly label?: Tensor;
  /** Weights of the classes, f32 [B, classes], in place of `label`: one-hot rows, mixtures, or 0 for no class. */
  readonly classWeights?: Tensor;
  /** What was done to augmented images, f32 [B, A]; absent for images as they are. */
  readonly augment?: Tensor;
  /** Draws of dropout, while a network is trained; without them nothing is dropped. */
  readonly dropout?: NoiseSource;
  /** Tokens of a text encoder, [B, L, D]. */
  readonly text?: Tensor;
  /** One vector for the whole text, [B, P]; SDXL's pooled embedding. */
  readonly pooled?: Tensor;
  /** Sizes in pixels, [B, 6]: original height and width, crop top and left, target height and width. SDXL. */
  readonly timeIds?: Tensor;
  /** What guidance leads away from: the encoding of an empty text, say. What it lacks of `text` and `pooled` is zero. */
  readonly unconditional?: Condition;
}
