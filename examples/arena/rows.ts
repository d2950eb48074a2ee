/** What the methods of the arena are called, and what the paper quotes for them. */
import type { AblationRow } from "../ablations/table.ts";

/** Whose numbers are quoted, and what they measure. */
export const SOURCE = "Yin et al. 2024, DMD2, arXiv:2405.14867, Tables 1 and 2";
export const quoted = {
  "FID-64": { about: "FID of 50,000 samples, ImageNet 64 x 64, one forward pass (Table 1)", better: "lower" },
  "FID-XL": { about: "FID of 10,000 samples, SDXL on COCO 2014, four forward passes (Table 2)", better: "lower" },
} as const;

/** By the name of the method. One without an entry is shown by its own name, and nothing is quoted for it. */
export const named: Readonly<Record<string, Pick<AblationRow, "name" | "quoted">>> = {
  boot: { name: "BOOT", quoted: { "FID-64": 16.3 } },
  consistency: { name: "consistency distillation", quoted: { "FID-64": 6.2 } },
  ctm: { name: "CTM", quoted: { "FID-64": 1.92 } },
  dfno: { name: "DFNO", quoted: { "FID-64": 7.83 } },
  "diff-instruct": { name: "Diff-Instruct", quoted: { "FID-64": 5.57 } },
  dmd: { name: "DMD", quoted: { "FID-64": 2.62 } },
  dmd2: { name: "DMD2", quoted: { "FID-64": 1.51, "FID-XL": 19.32 } },
  "guided-distillation": { name: "guided distillation (Meng et al.)", quoted: { "FID-64": 7.54 } },
  ict: { name: "iCT", quoted: { "FID-64": 3.25 } },
  lcm: { name: "LCM", quoted: { "FID-XL": 22.16 } },
  lightning: { name: "SDXL-Lightning", quoted: { "FID-XL": 24.46 } },
  progressive: { name: "progressive distillation", quoted: { "FID-64": 15.39 } },
  add: { name: "SDXL-Turbo (ADD)", quoted: { "FID-XL": 23.19 } },
  tract: { name: "TRACT", quoted: { "FID-64": 7.43 } },
};
