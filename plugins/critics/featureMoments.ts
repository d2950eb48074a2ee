import { placeholders } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { type Critic, type CriticNetwork, DATA_SHAPE, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { layoutOf, type Scope, zeros } from "../../core/nn/mod.ts";
import { definePlugin, extractedOptions, extractorNeeded, extractorOf } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";

/**
 * A critic that knows the generator's samples and the real ones by the first two moments of their features, as running means:
 * `mean` [d] and `covariance` [d, d] of each, and how much of them is known, `known` [1], which grows from 0 to 1. The loss
 * `feature-moments` moves them by plain steps (optimizer `gradient-step`, rate 1); `frechet` reads them. Of an extractor's feature, or,
 * where none is named, of the teacher's, as a discriminator reads it.
 */
export const featureMoments = definePlugin({
  name: "feature-moments",
  kind: "critic",
  about: "Running moments of the features of generated and real samples, for a Fréchet distance as a loss",
  options: extractedOptions,
  needs: extractorNeeded,
  create(options, container): Critic {
    let known: number | undefined;
    const widthOf = () => {
      if (options.extractor === "") return widthOfNetwork();
      const { extractor, tap } = extractorOf("feature-moments", options, container);
      return extractor.widths[tap];
    };
    const widthOfNetwork = () => {
      const { x, sigma, condition } = placeholders(container.get(DATA_SHAPE));
      let width = 0;
      layoutOf((scope) => {
        const features = container
          .get(PROCESS)
          .features((...inputs) => container.get(NETWORK).features(scope, ...inputs), x, sigma, condition);
        width = features.shape[1];
      });
      return width;
    };
    const bind = (scope: Scope): MomentsNetwork => {
      known ??= widthOf();
      const d = known;
      const of = (whose: "generated" | "real") => ({
        mean: scope.at(whose).parameter("mean", [d], zeros),
        covariance: scope.at(whose).parameter("covariance", [d, d], zeros),
      });
      const refuse = (): never => {
        throw failure(
          "E_CONFIG",
          "Cannot denoise or discriminate with the critic feature-moments: it has moments alone",
          {
            fix: "leave out losses that ask for a fake score or a discriminator, or set critic.use=fake-score",
          },
        );
      };
      const [generated, real, share] = [of("generated"), of("real"), scope.parameter("known", [1], zeros)];
      return { generated, real, known: share, denoise: refuse, discriminate: refuse };
    };
    return { bind, declare: (scope) => void bind(scope), inherits: () => undefined };
  },
});

/** What its losses ask for. */
interface MomentsNetwork extends CriticNetwork {
  readonly generated: { readonly mean: Tensor; readonly covariance: Tensor };
  readonly real: { readonly mean: Tensor; readonly covariance: Tensor };
  readonly known: Tensor;
}
