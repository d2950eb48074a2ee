import { dmd2, type Method } from "./dmd2.ts";

/**
 * DMD, what DMD2 improves on: a regression loss in place of the GAN and of the two time-scales.
 *   L_G = L_dm + 0.25 · L_reg,   L_C = L_fake,   a critic update a generator update
 * The regression loss needs `pairs`, drawn by `onestep pairs`, and `lpipsWeights`; with `distance: "l2"` only the former.
 * Rates are those of the official ImageNet-64 runs. Yin et al. 2023, arXiv:2311.18828; 1st row of Table 3 of
 * arXiv:2405.14867.
 */
export const dmd: Method = {
  ...dmd2,
  critic: { use: "fake-score", head: false },
  losses: {
    "edm-denoising": {},
    "distribution-matching": { weight: 1 },
    "fake-score": { weight: 1 },
    regression: { weight: 0.25, distance: "lpips" },
  },
  train: { ttur: { critic: 1, generator: 1 } },
};
