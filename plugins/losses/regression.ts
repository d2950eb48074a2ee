import { DATA_SHAPE, extractorNamed, GENERATOR, type Loss } from "../../core/interfaces/mod.ts";
import { type FrozenWeights, frozenScope, lpips } from "../../core/nn/mod.ts";
import { constant, mean, mul } from "../../core/ops/mod.ts";
import { choice, definePlugin, number, text } from "../../core/plugin/mod.ts";
import { type Distance, l2, pseudoHuber } from "./shared/distances.ts";
import { checkImages } from "./shared/lpipsImages.ts";
import { pairsOf } from "./shared/storedPairs.ts";

/**
 * Regression on stored pairs of noise z and the sample y that the teacher's ODE makes of it.
 *   L = mean d(G(z), y),  G(z) = D_G(s_0·z; σ_0): the generator's first call, from its own highest level
 *   l2: mean (a − b)²;   huber: √(‖a − b‖² + c²) − c per sample, c = huberScale·√D;   lpips: of VGG-16, at lpipsSize pixels
 * z, y [B, …] and label [B], a batch of the pairs drawn by (seed, step) → scalar. Gradient to the generator only. Pairs come
 * from `onestep pairs` and belong to one teacher: those of another are refused.
 * Yin et al. 2023, DMD, arXiv:2311.18828, section 3.3; which takes weight 0.5 for unconditional CIFAR-10.
 */
export const regression = definePlugin({
  name: "regression",
  kind: "loss",
  about: "Holds the generator to stored pairs of noise and the teacher's sample",
  options: {
    weight: number({ default: 0.25, min: 0, about: "factor in the generator's total; 0 is off" }),
    pairs: text({ default: "", about: "file of the pairs, written by `onestep pairs`" }),
    distance: choice(["l2", "huber", "lpips"], {
      default: "l2",
      about: "how far a sample is from the teacher's; lpips is for images, and DMD's choice",
    }),
    huberScale: number({
      default: 0.00054,
      above: 0,
      about: "c of huber by the root of a sample's elements; below c it is quadratic",
    }),
    lpipsWeights: text({
      default: "",
      about: "weights of the extractor vgg16 for lpips, unless the config has one",
    }),
    lpipsSize: number({
      default: 224,
      min: 0,
      integer: true,
      about: "pixels to which lpips enlarges smaller images, bilinearly; 0 leaves them",
    }),
  },
  needs: ({ distance, lpipsWeights: weights }) =>
    distance === "lpips" ? [{ kind: "extractor", use: "vgg16", options: { weights } }] : [],
  create({ weight, pairs: path, huberScale, lpipsSize, ...options }, container): Loss {
    const shape = container.get(DATA_SHAPE);
    const { sigmas, startScale = sigmas[0] } = container.get(GENERATOR);
    const vgg16 = options.distance === "lpips" ? extractorNamed(container, "vgg16") : undefined;
    if (vgg16) checkImages(shape, lpipsSize, vgg16.reads);
    const stored = pairsOf("regression", path, container);
    let frozen: FrozenWeights | undefined;
    const distance: Distance = (a, b) => {
      if (vgg16) return lpips(vgg16.bind(frozenScope(frozen!)), a, b, lpipsSize);
      return options.distance === "huber" ? pseudoHuber(huberScale)(a, b) : l2(a, b);
    };
    return {
      name: "regression",
      role: "generator",
      weight,
      ...stored,
      frozen: () => (frozen ? [frozen] : []),
      async load() {
        await stored.load();
        frozen = await vgg16?.load();
      },
      compute({ generator, own }) {
        const { z, y, label } = own!;
        const sigma = constant(sigmas[0], "f32", [z.shape[0]]);
        const x = generator.denoise(mul(z, startScale), sigma, label ? { label } : {});
        return mean(distance(x, y));
      },
    };
  },
});
