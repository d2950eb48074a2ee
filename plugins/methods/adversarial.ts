import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { dmd2 } from "./dmd2.ts";

/** What both GAN losses of ADD share. */
const game = { objective: "hinge", extractor: "dinov2", diffused: false, weight: 1 } as const;

/**
 * ADD, adversarial diffusion distillation, which made SDXL-Turbo: a hinge GAN on features of a frozen network, and score
 * distillation. Inputs of later steps are real samples in noise.
 *   L_G = mean −l(x) + 2.5·mean c(σ) (x − D_real(x_t; σ))²,   L_C = mean [ max(0, 1 − l(real)) + max(0, 1 + l(x)) ] + R1
 * The weight 2.5 is the one commonly quoted. R1 is a finite difference, with a weight of ours. One head on one of the features,
 * where ADD has several, which are told text and image embeddings besides. Sauer et al. 2023, arXiv:2311.17042.
 */
export const adversarial: Recipe = mergeConfig(dmd2, {
  method: { ttur: { critic: 1, generator: 1 } },
  generator: { inputs: "real" },
  critic: { use: "discriminator", extractor: "dinov2" },
  losses: {
    "distribution-matching": false,
    "fake-score": false,
    "score-distillation": {},
    "gan-generator": game,
    "gan-discriminator": { ...game, r1: 1 },
  },
}) as Recipe;
