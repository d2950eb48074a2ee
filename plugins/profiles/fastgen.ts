import { common } from "./dmd2Code.ts";
import type { Profile } from "./profile.ts";

const losses = common.losses as Record<string, Record<string, unknown>>;
const game = { features: "teacher", noise: "shared" };

/**
 * DMD2 as NVIDIA's FastGen trains it on CIFAR-10: turns in steps of their own, 4 : 1; a discriminator on features of the
 * frozen teacher, clipped apart as by an optimiser of its own, whose samples are in the noise of the main loss; real samples
 * as inputs of later steps; an x0 loss without weight; an average of the generator.
 */
export const fastgen: Profile = {
  name: "fastgen",
  about: "NVIDIA FastGen's variant: exclusive turns, teacher features, real inputs, an average",
  method: "dmd2",
  config: {
    ...common,
    generator: { inputs: "real-always", drawStep: "sample" },
    critic: { tap: "encoder" },
    losses: {
      "distribution-matching": { ...losses["distribution-matching"], epsilon: 1e-6 },
      "fake-score": { ...losses["fake-score"], target: "x0" },
      "gan-generator": { ...losses["gan-generator"], ...game, weight: 1e-3 },
      "gan-discriminator": { ...losses["gan-discriminator"], ...game, weight: 1 },
    },
    optimizers: {
      ...(common.optimizers as object),
      critic: {
        ...(common.optimizers as Record<string, object>).critic,
        clipApart: ["cls_pred_branch."],
      },
    },
    averages: { generator: { use: "ema-constant", beta: 0.9999, warmUp: false } },
    method: { ttur: { critic: 4, generator: 1, exclusive: true }, first: "critic", criticImages: "fresh" },
  },
  without: ["a learning rate of the discriminator's own: it is the critic's, as in its CIFAR-10 run"],
};
