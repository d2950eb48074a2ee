import { placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { type Critic, DATA_SHAPE, NETWORK, type Network, PROCESS } from "../../core/interfaces/mod.ts";
import { adapted, checkTargets, conv, groupNorm, linear, type Scope } from "../../core/nn/mod.ts";
import { mean, reshape, silu } from "../../core/ops/mod.ts";
import { boolean, choice, definePlugin, lowRank, number } from "../../core/plugin/mod.ts";
import { formatShape, type Tensor } from "../../core/tensor/mod.ts";

const BODY = "fake_unet";

/**
 * The fake score D_fake with a discriminator head h on its encoder's features.
 *   D_fake(x; σ) = cSkip·x + cOut·F(cIn·x; cNoise);   logit = h(features of F(cIn·x; cNoise))
 * x [B, …], sigma [B] → [B, …] and [B, 1]. Image features [B, C, H, H]: conv 4×4/2, norm, SiLU until H ≤ 4 (once for 8×8,
 * three times for SDXL's 32×32), conv to 1×1, norm, SiLU, conv 1×1. Vector features [B, N]: linear, SiLU, linear. A
 * discriminator loss gives no gradient to F's decoder.
 * Parameters `fake_unet.*`, started from the teacher, and `cls_pred_branch.*`. With `lora` the former stay the teacher's, and
 * low-rank adapters beside the named layers are trained, with the head.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.3; head as in the official code for EDM.
 */
export const fakeScore = definePlugin({
  name: "fake-score",
  kind: "critic",
  about: "Fake score over the network, with a discriminator head on its encoder",
  options: {
    tap: choice(["encoder", "middle"], {
      default: "encoder",
      about: "what the discriminator reads: the encoder's output, or that of the middle blocks",
    }),
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
      about: "most normalisation groups of the head, for image features",
    }),
    headGroupWidth: number({
      default: 4,
      min: 1,
      integer: true,
      about: "fewest channels of such a group; it wins over the number of groups",
    }),
    lora: lowRank,
  },
  create({ tap, head, headWidth, headGroups, headGroupWidth, lora }, container): Critic {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const logit = (scope: Scope, features: Tensor): Tensor =>
      features.shape.length === 4
        ? imageHead(scope, features, Math.min(headGroups, Math.floor(features.shape[1] / headGroupWidth)))
        : vectorHead(scope, features, headWidth);

    const tapped: Network["features"] = (...inputs) => {
      if (tap === "encoder") return network.features(...inputs);
      if (network.middle) return network.middle(...inputs);
      throw failure(
        "E_OPTION",
        "Cannot discriminate with fake-score: tap is middle, and the network has no middle blocks",
        { fix: "set critic.tap=encoder" },
      );
    };
    const bind: Critic["bind"] = (scope) => {
      const body = adapted(scope.at(BODY), lora);
      return {
        ...process.denoiser((...inputs) => network.apply(body, ...inputs)),
        discriminate(x, sigma, condition) {
          if (!head)
            throw failure(
              "E_OPTION",
              "Cannot discriminate with fake-score: head is false, should be true for GAN losses",
            );
          const features = process.features((...inputs) => tapped(body, ...inputs), x, sigma, condition);
          return logit(scope.at("cls_pred_branch"), features);
        },
        ...(head && { judge: (features: Tensor) => logit(scope.at("cls_pred_branch"), features) }),
      };
    };
    return {
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        const critic = bind(scope);
        critic.denoise(x, sigma, condition);
        if (head) critic.discriminate(x, sigma, condition);
        checkTargets("fake-score", lora, (own) => network.apply(own, x, sigma, condition));
      },
      inherits: (parameter) => (parameter.startsWith(`${BODY}.`) ? parameter.slice(BODY.length + 1) : undefined),
    };
  },
});

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
