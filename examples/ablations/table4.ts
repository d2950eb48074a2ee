import { withoutDistributionMatching, withoutGan } from "./parts.ts";
import type { AblationTable } from "./table.ts";

/** Later steps train on real samples with noise, as methods before DMD2 do, instead of on what the steps before them make. */
const onRealInputs = { generator: { inputs: "real" } };

/** Which parts of DMD2 a four-step generator needs. */
export const table4: AblationTable = {
  about: "four steps: GAN, distribution matching, backward simulation",
  source: "Yin et al. 2024, DMD2, arXiv:2405.14867, Table 4",
  quoted: {
    FID: { about: "FID of 10,000 samples, SDXL on COCO 2014", better: "lower" },
    "Patch FID": { about: "FID of crops of 299 pixels, the same samples", better: "lower" },
    CLIP: { about: "CLIP score (ViT-g/14), the same samples", better: "higher" },
  },
  // Levels 2 to 4 have the ratio of noise to data of SDXL's steps 749, 499 and 249: 4.1, 1.6 and 0.69.
  base: {
    gaussians: { generator: { sigmas: [10, 2.9, 1.1, 0.48] } },
    mnist: { generator: { sigmas: [80, 2, 0.8, 0.35] } },
  },
  rows: {
    "no-gan": { name: "no GAN", over: [withoutGan], quoted: { FID: 26.9, "Patch FID": 27.66, CLIP: 0.328 } },
    "no-dm": {
      name: "no distribution matching",
      over: [withoutDistributionMatching],
      quoted: { FID: 13.77, "Patch FID": 27.96, CLIP: 0.307 },
    },
    "no-simulation": {
      name: "no backward simulation",
      over: [onRealInputs],
      quoted: { FID: 20.66, "Patch FID": 24.21, CLIP: 0.332 },
    },
    dmd2: { name: "DMD2", over: [], quoted: { FID: 19.32, "Patch FID": 20.86, CLIP: 0.332 } },
  },
  claims: [
    { says: "the GAN helps", better: "dmd2", worse: "no-gan" },
    { says: "backward simulation helps", better: "dmd2", worse: "no-simulation" },
    { says: "backward simulation helps details", better: "dmd2", worse: "no-simulation", quoted: "Patch FID" },
    { says: "without distribution matching the distance is least", better: "no-dm", worse: "dmd2" },
    { says: "but samples are less what was asked for", better: "dmd2", worse: "no-dm", quoted: "CLIP" },
  ],
};
