import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { dmd2 } from "./dmd2.ts";

/**
 * Decoupled DMD: the guidance that DMD's teacher brings along becomes a term of its own, beside plain matching.
 *   L_G = L_guidance + L_matching,   L_C = L_fake,   DMD2's turns without its GAN
 * Terms as byliutao/cdm has them; turns and rates are those of DMD2. Data with a condition, and a network that knows samples
 * without it, are needed.
 */
export const decoupledDmd: Recipe = mergeConfig(dmd2, {
  critic: { head: false },
  losses: {
    "distribution-matching": false,
    "gan-generator": false,
    "gan-discriminator": false,
    "guidance-augmentation": {},
    "decoupled-matching": {},
  },
}) as Recipe;
