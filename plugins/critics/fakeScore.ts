import { edmDenoiser, edmFeatures, placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { CRITIC, type Critic, DATA_SHAPE, NETWORK } from "../../core/interfaces/mod.ts";
import { conv, groupNorm, linear, type Scope } from "../../core/nn/mod.ts";
import { reshape, silu } from "../../core/ops/mod.ts";
import { boolean, definePlugin, number } from "../../core/plugin/mod.ts";
import { formatShape } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

const BODY = "fake_unet";

/**
 * The fake score D_fake with a discriminator head h on its encoder's features.
 *   D_fake(x; σ) = cSkip·x + cOut·F(cIn·x; cNoise);   logit = h(features of F(cIn·x; cNoise))
 * x [B, …], sigma [B] → [B, …] and [B, 1]. Image features [B, C, H, H]: conv 4×4/2, norm, SiLU, conv to 1×1, norm, SiLU,
 * conv 1×1. Vector features [B, N]: linear, SiLU, linear. A discriminator loss gives no gradient to F's decoder.
 * Parameters `fake_unet.*`, started from the teacher, and `cls_pred_branch.*`.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.3; head as in the official code for EDM.
 */
export const fakeScore = definePlugin({
  name: "fake-score",
  kind: "critic",
  token: CRITIC,
  about: "Fake score over the network, with a discriminator head on its encoder",
  options: {
    head: boolean({
      default: true,
      about: "whether it has the discriminator that GAN losses need",
    }),
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
      about:
        "most normalisation groups of the head, for image features; at least 4 channels a group",
    }),
  },
  create({ head, headWidth, headGroups }, container): Critic {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const logit = (scope: Scope, features: Tensor): Tensor =>
      features.shape.length === 4
        ? imageHead(scope, features, Math.min(headGroups, Math.floor(features.shape[1] / 4)))
        : vectorHead(scope, features, headWidth);

    const bind: Critic["bind"] = (scope) => {
      const body = scope.at(BODY);
      return {
        ...edmDenoiser((...inputs) => network.apply(body, ...inputs), shape.sigmaData),
        discriminate(x, sigma, condition) {
          if (!head)
            throw failure(
              "E_OPTION",
              "Cannot discriminate with fake-score: head is false, should be true for GAN losses",
            );
          const features = edmFeatures(
            (...inputs) => network.features(body, ...inputs),
            shape.sigmaData,
            x,
            sigma,
            condition,
          );
          return logit(scope.at("cls_pred_branch"), features);
        },
      };
    };
    return {
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        const critic = bind(scope);
        critic.denoise(x, sigma, condition);
        if (head) critic.discriminate(x, sigma, condition);
      },
      inherits: (parameter) =>
        parameter.startsWith(`${BODY}.`) ? parameter.slice(BODY.length + 1) : undefined,
    };
  },
});

/** Features [B, C, H, H] → [B, 1]. The numbers are the official state-dict's: SiLU layers count. */
function imageHead(scope: Scope, features: Tensor, groups: number): Tensor {
  const [B, C, H, W] = features.shape;
  if (H !== W || H < 2)
    throw failure(
      "E_SHAPE",
      `Cannot put a discriminator on features ${formatShape(features.shape)}: should be square, of 2 pixels a side or more`,
    );
  let h = conv(scope.at(0), features, C, { kernel: 4, stride: 2, padding: 1 });
  h = silu(groupNorm(scope.at(1), h, groups));
  h = conv(scope.at(3), h, C, { kernel: h.shape[2], padding: 0 });
  h = silu(groupNorm(scope.at(4), h, groups));
  return reshape(conv(scope.at(6), h, 1, { kernel: 1 }), [B, 1]);
}

/** Features [B, N] → [B, 1]. */
const vectorHead = (scope: Scope, features: Tensor, width: number): Tensor =>
  linear(scope.at(2), silu(linear(scope.at(0), features, width)), 1);
