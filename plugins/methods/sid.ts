import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { diffInstruct } from "./diffInstruct.ts";

/** Adam without momentum, as in SiD's code. */
const adam = { beta1: 0, beta2: 0.999, eps: 1e-8 };

/**
 * SiD as its code trains it on CIFAR-10: the score identity, differentiated through teacher and critic, one update of the
 * critic for each of the generator, which starts from noise of level 2.5. Zhou et al. 2024, arXiv:2404.04057.
 */
export const sid: Recipe = mergeConfig(diffInstruct, {
  generator: { sigmas: [2.5] },
  losses: { "diff-instruct": false, sid: { alpha: 1.2 } },
  optimizers: { generator: adam, critic: adam },
}) as Recipe;

/**
 * SiDA: SiD with real samples, which the critic's own encoder learns to tell from the generator's.
 * Zhou et al. 2024, arXiv:2410.14919.
 */
export const sida: Recipe = mergeConfig(sid, {
  losses: { sid: { alpha: 1, adversarial: 0.01 }, "fake-denoising": { adversarial: 1 } },
}) as Recipe;
