import { failure } from "../../../core/errors.ts";
import { type Condition, DROPOUT } from "../../../core/interfaces/mod.ts";
import { type LayerStart, linear, type Scope } from "../../../core/nn/mod.ts";
import { add, linear as affine, less, mul, takeRows, transpose, where } from "../../../core/ops/mod.ts";
import { formatShape, type Tensor } from "../../../core/tensor/mod.ts";

/** What the layers that embed conditions look like. */
export interface EmbeddingSettings {
  /** Number of classes, or of augmentation labels; 0 for none. */
  readonly inputs: number;
  readonly width: number;
  readonly init: LayerStart;
}

/**
 * emb + W·(gain·y) + b, y the one-hot class (or class weights), 0 where there is none. Without classes emb itself.
 * emb [B, width]; parameters `weight` [width, classes] and, with `bias`, `bias` [width].
 */
export function addClass(
  scope: Scope,
  emb: Tensor,
  condition: Condition,
  options: EmbeddingSettings & {
    readonly bias: boolean;
    readonly gain: number;
    /** Probability that a sample's class is dropped in training, in [0, 1]. */
    readonly labelDropout: number;
  },
): Tensor {
  const { inputs: classes, width, bias, gain, labelDropout } = options;
  if (classes === 0) return emb;
  const start = options.init(classes, width);
  const weight = scope.parameter("weight", [width, classes], start.weight);
  const offset = bias ? scope.parameter("bias", [width], start.bias) : undefined;
  let y = rowsOf(weight, condition);
  if (y && gain !== 1) y = mul(y, gain);
  const draws = condition[DROPOUT];
  if (y && labelDropout > 0 && draws) {
    const drawn = draws.uniform([emb.shape[0], 1]);
    y = where(less(drawn, labelDropout), 0, y);
  }
  const shifted = offset ? add(emb, offset) : emb;
  return y ? add(shifted, y) : shifted;
}

/** W·y per sample, [B, width]; undefined without a class. */
function rowsOf(weight: Tensor, { label, classWeights }: Condition): Tensor | undefined {
  if (classWeights) return affine(classWeights, weight);
  return label && takeRows(transpose(weight), label);
}

/**
 * emb + W·a for augmentation labels a [B, A]; emb itself where there are none. Parameter `weight` [width, A].
 * @throws OptionError when there are labels, and the network has no place for them
 */
export function addAugmentation(
  scope: Scope,
  emb: Tensor,
  { augment }: Condition,
  { inputs, width, init }: EmbeddingSettings,
): Tensor {
  if (augment && augment.shape[1] !== inputs)
    throw failure(
      "E_OPTION",
      `Cannot embed augmentation labels ${formatShape(augment.shape)}: augmentLabels is ${inputs}, ` +
        `should be ${augment.shape[1]}`,
      { fix: "set the network's augmentLabels to what the augmentation gives, or train without" },
    );
  if (inputs === 0) return emb;
  if (augment) return add(emb, linear(scope, augment, width, { bias: false, init }));
  scope.parameter("weight", [width, inputs], init(inputs, width).weight); // laid out all the same
  return emb;
}
