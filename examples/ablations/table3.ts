import { oneToOne, withoutDistributionMatching, withoutGan, withRegression } from "./parts.ts";
import type { AblationTable } from "./table.ts";

/** Which parts of DMD2 a one-step generator needs. */
export const table3: AblationTable = {
  about: "one step: regression, two time scales (TTUR), GAN, distribution matching",
  source: "Yin et al. 2024, DMD2, arXiv:2405.14867, Table 3",
  quoted: { FID: { about: "FID of 50,000 samples, ImageNet 64 x 64", better: "lower" } },
  base: { gaussians: {}, mnist: {} },
  rows: {
    dmd: { name: "DMD: with regression", over: [withoutGan, oneToOne, withRegression], quoted: { FID: 2.62 } },
    "no-regression": { name: "no regression", over: [withoutGan, oneToOne], quoted: { FID: 3.48 } },
    ttur: { name: "no regression, TTUR", over: [withoutGan], quoted: { FID: 2.61 } },
    dmd2: { name: "no regression, TTUR, GAN: DMD2", over: [], quoted: { FID: 1.51 } },
    gan: { name: "GAN alone", over: [withoutDistributionMatching, oneToOne], quoted: { FID: 2.56 } },
    "gan-ttur": { name: "GAN alone, TTUR", over: [withoutDistributionMatching], quoted: { FID: 2.52 } },
  },
  claims: [
    { says: "without regression it is worse", better: "dmd", worse: "no-regression" },
    { says: "TTUR makes up for that", better: "ttur", worse: "no-regression" },
    { says: "the GAN adds to TTUR", better: "dmd2", worse: "ttur" },
    { says: "the whole method is better than the GAN alone", better: "dmd2", worse: "gan" },
    { says: "and than the GAN alone with TTUR", better: "dmd2", worse: "gan-ttur" },
    { says: "TTUR helps the GAN alone too", better: "gan-ttur", worse: "gan" },
  ],
};
