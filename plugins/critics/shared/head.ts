/** The discriminator's head on features of a network. */
import { failure } from "../../../core/errors.ts";
import { conv, groupNorm, linear, type Scope } from "../../../core/nn/mod.ts";
import { mean, reshape, silu } from "../../../core/ops/mod.ts";
import { number, type OptionsOf } from "../../../core/plugin/mod.ts";
import { formatShape, type Tensor } from "../../../core/tensor/mod.ts";

/** The scope of the head among the critic's parameters. */
export const HEAD = "cls_pred_branch";

/** How large the head is. */
export const headOptions = {
  headWidth: number({
    default: 64,
    min: 1,
    integer: true,
    about: "hidden units of the head, for networks with vector features",
  }),
  headGroups: number({
    default: 32,
    min: 1,
    integer: true,
    about: "most normalisation groups of the head, for image features",
  }),
  headGroupWidth: number({
    default: 4,
    min: 1,
    integer: true,
    about: "fewest channels of such a group; it wins over the number of groups",
  }),
};

/** Logits [B, 1] of features [B, C, H, W] or [B, N], over the parameters of a scope. */
export const headOf =
  ({ headWidth, headGroups, headGroupWidth }: OptionsOf<typeof headOptions>) =>
  (scope: Scope, features: Tensor): Tensor =>
    features.shape.length === 4
      ? imageHead(scope, features, Math.min(headGroups, Math.floor(features.shape[1] / headGroupWidth)))
      : vectorHead(scope, features, headWidth);

/**
 * Features [B, C, H, W] → [B, 1]. The numbers are the official state-dict's: SiLU layers count. The last convolution covers the
 * shorter side of oblong features, and its logits along the longer one are averaged.
 */
function imageHead(scope: Scope, features: Tensor, groups: number): Tensor {
  const [B, C, H, W] = features.shape;
  if (Math.min(H, W) < 2)
    throw failure(
      "E_SHAPE",
      `Cannot put a discriminator on features ${formatShape(features.shape)}: should have 2 pixels per side or more`,
    );
  let h = features;
  let layer = 0;
  const normalised = (x: Tensor) => groupNorm(scope.at(layer + 1), x, groups, 1e-5, { activation: "silu" });
  do {
    h = normalised(conv(scope.at(layer), h, C, { kernel: 4, stride: 2, padding: 1 }));
    layer += 3;
  } while (Math.min(h.shape[2], h.shape[3]) > 4);
  h = normalised(conv(scope.at(layer), h, C, { kernel: Math.min(h.shape[2], h.shape[3]), padding: 0 }));
  const logits = reshape(conv(scope.at(layer + 3), h, 1, { kernel: 1 }), [B, -1]);
  return logits.shape[1] === 1 ? logits : mean(logits, { axes: [1], keepDims: true });
}

/** Features [B, N] → [B, 1]. */
const vectorHead = (scope: Scope, features: Tensor, width: number): Tensor =>
  linear(scope.at(2), silu(linear(scope.at(0), features, width)), 1);
