import { placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { type Critic, DATA_SHAPE, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { layoutOf } from "../../core/nn/mod.ts";
import { definePlugin, extractedOptions, extractorNeeded, extractorOf } from "../../core/plugin/mod.ts";
import { HEAD, headOf, headOptions } from "./shared/head.ts";

/**
 * A discriminator without a network of its own: a head h on the features of the frozen teacher.
 *   logit = h(features of the teacher's F(cIn·x; cNoise))
 * Features [B, C, H, W] or [B, N] → [B, 1]; the head is that of the critic `fake-score`. It learns no fake score, so a method
 * with it has no loss that asks for one, and its GAN losses read the teacher: `features: "teacher"`.
 * With `extractor` the features are those of a frozen network of that name, which sees clean images, as in ADD (Sauer et al.
 * 2023, arXiv:2311.17042); the GAN losses name the same.
 * Parameters `cls_pred_branch.*`, started at random. Sauer et al. 2024, LADD, arXiv:2403.12015, with one head.
 */
export const discriminatorCritic = definePlugin({
  name: "discriminator",
  kind: "critic",
  about: "Discriminator head on the teacher's features, without a fake score",
  options: { ...headOptions, ...extractedOptions },
  needs: extractorNeeded,
  create({ extractor, tap, ...options }, container): Critic {
    const network = container.get(NETWORK);
    const process = container.get(PROCESS);
    const shape = container.get(DATA_SHAPE);
    const head = headOf(options);
    const read = extractor === "" ? undefined : extractorOf("discriminator", { extractor, tap }, container);
    const refusing = (verb: string, lacks: string, fix: string) => (): never => {
      throw failure("E_CONFIG", `Cannot ${verb} with the critic discriminator: it has no ${lacks}`, { fix });
    };
    const bind: Critic["bind"] = (scope) => ({
      denoise: refusing("denoise", "fake score", "set critic.use=fake-score, or leave out the losses that need one"),
      discriminate: refusing("discriminate", "encoder", "set features=teacher for both GAN losses"),
      judge: (features) => head(scope.at(HEAD), features),
    });
    return {
      bind,
      declare(scope) {
        const { x, sigma, condition } = placeholders(shape);
        // The parameters below are another network's; here they only say how its features look.
        layoutOf((frozen) => {
          const features = read
            ? read.extractor.bind(frozen).features(x)[read.tap]
            : process.features((...inputs) => network.features(frozen, ...inputs), x, sigma, condition);
          bind(scope).judge!(features);
        });
      },
      inherits: () => undefined,
    };
  },
});
