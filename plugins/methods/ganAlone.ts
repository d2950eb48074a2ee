import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { dmd2 } from "./dmd2.ts";

/**
 * GAN alone: DMD2 without its loss of matching, one update of the critic for each of the generator. The critic still learns
 * its fake score, which its encoder shares with the discriminator; the teacher is only where both start.
 *   L_G = 3e-3 · L_gen,   L_C = L_fake + 1e-2 · L_disc
 * Adam moves by the gradient's direction, so the first weight matters only through the limit of its norm.
 * Yin et al. 2024, arXiv:2405.14867, Table 3: 2.56 on ImageNet-64.
 */
export const ganAlone: Recipe = mergeConfig(dmd2, {
  method: { ttur: { critic: 1, generator: 1 } },
  losses: { "distribution-matching": false },
}) as Recipe;

/** GAN and TTUR: GAN alone, with five updates of the critic for each of the generator: 2.52 in the same table. */
export const ganTtur: Recipe = mergeConfig(ganAlone, { method: { ttur: { critic: 5 } } }) as Recipe;
