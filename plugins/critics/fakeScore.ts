import { levelTold, placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import {
  type Condition,
  type Critic,
  DATA_SHAPE,
  type Denoiser,
  GENERATOR,
  NETWORK,
  type Network,
  PROCESS,
} from "../../core/interfaces/mod.ts";
import { adapted, checkTargets } from "../../core/nn/mod.ts";
import { input } from "../../core/ops/mod.ts";
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
 * With `rung` the body is told the entry `rung` [B] of a condition, the level of the generator's step that made the image, as it
 * is told where a step `end`s: outputs of different steps are then different distributions. Of one step there is nothing to tell.
 * Numbers that the generator draws for its images, such as guidance scales, it is told as well.
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
    rung: boolean({
      default: false,
      about: "whether it is told which step of the generator an image is from, which draws them by drawStep=place",
    }),
    ...headOptions,
    lora: lowRank,
  },
  create({ tap, head, rung, lora, ...options }, container): Critic {
    const network = container.get(NETWORK);
    const shape = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const logit = headOf(options);
    const generator = rung && container.has(GENERATOR) ? container.get(GENERATOR) : undefined;
    const numbers = (container.has(GENERATOR) && container.get(GENERATOR).draws) || {};
    if (lora.rank > 0 && Object.keys(numbers).length > 0)
      throw failure(
        "E_OPTION",
        `Cannot configure fake-score: lora.rank is ${lora.rank} and the generator learns ${Object.keys(numbers)}, which adapters can't be told`,
        { fix: "set critic.lora.rank=0" },
      );
    const hears = generator !== undefined && generator.sigmas.length > 1;
    if (hears && !generator.rungs)
      throw failure(
        "E_OPTION",
        "Cannot configure fake-score: rung is true, and the generator's samples draw their steps, they should have them by place",
        { fix: "set generator.drawStep=place, or critic.rung=false" },
      );
    const heard = ({ rung: level, ...others }: Condition): Condition =>
      hears && level ? { ...others, end: levelTold(process, level) } : others;

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
        process.features((x, cNoise, condition) => tapped(body, x, cNoise, heard(condition)), ...noisy);
      return {
        ...process.denoiser((x, cNoise, condition) => network.apply(body, x, cNoise, heard(condition))),
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
        const { condition: described, ...noisy } = placeholders(shape);
        const { x, sigma } = noisy;
        const drawn = Object.keys(numbers).map((name) => [name, input(name, [1])] as const);
        const condition = { ...described, ...Object.fromEntries(drawn), rung: sigma };
        const critic = bind(scope);
        critic.denoise(x, sigma, condition);
        if (head) critic.discriminate(x, sigma, condition);
        checkTargets("fake-score", lora, (own) => network.apply(own, x, sigma, heard(condition)));
      },
      inherits: (parameter) => (parameter.startsWith(`${BODY}.`) ? parameter.slice(BODY.length + 1) : undefined),
    };
  },
});
