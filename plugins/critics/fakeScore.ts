import { placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { type Critic, DATA_SHAPE, type Denoiser, NETWORK, type Network, PROCESS } from "../../core/interfaces/mod.ts";
import { adapted, checkTargets } from "../../core/nn/mod.ts";
import { boolean, choice, definePlugin, lowRank } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { HEAD, headOf, headOptions } from "./shared/head.ts";

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
    ...headOptions,
    lora: lowRank,
  },
  create({ tap, head, lora, ...options }, container): Critic {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const logit = headOf(options);

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
      const features: Required<Denoiser>["features"] = (...noisy) =>
        process.features((...inputs) => tapped(body, ...inputs), ...noisy);
      return {
        ...process.denoiser((...inputs) => network.apply(body, ...inputs)),
        features,
        discriminate(x, sigma, condition) {
          if (!head)
            throw failure(
              "E_OPTION",
              "Cannot discriminate with fake-score: head is false, should be true for GAN losses",
            );
          return logit(scope.at(HEAD), features(x, sigma, condition));
        },
        ...(head && { judge: (features: Tensor) => logit(scope.at(HEAD), features) }),
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
