import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { fastgenDmd2 } from "./fastgenDmd2.ts";

/** Levels 2 to 998 of 1000. */
const game = { noise: "own", weight: 1, minStep: 0.002, maxStep: 0.999 } as const;

/**
 * LADD as FastGen trains it: only the GAN of its DMD2, with a discriminator that is a head on the frozen teacher's features.
 * No fake score and no loss of matching; four turns of the head before one of the generator.
 *   L_G = mean softplus(−l),   L_C = mean softplus(l_fake) + mean softplus(−l_real)
 * Sauer et al. 2024, arXiv:2403.12015.
 */
export const ladd: Recipe = mergeConfig(fastgenDmd2, {
  critic: { use: "discriminator" },
  losses: {
    "distribution-matching": false,
    "fake-score": false,
    "gan-generator": game,
    "gan-discriminator": { ...game, r1From: "clean" },
  },
  optimizers: { critic: { clipApart: [] } },
}) as Recipe;
