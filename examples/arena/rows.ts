/** What the methods of the arena are called, and what the paper quotes for them. */
import type { AblationRow } from "../ablations/table.ts";
import { imagenet64, type PublishedRow, sdxl } from "../cli/evaluate/published.ts";

/** Whose numbers are quoted, and what they measure. */
export const SOURCE = "Yin et al. 2024, DMD2, arXiv:2405.14867, Tables 1 and 2";
export const quoted = {
  "FID-64": { about: "FID of 50,000 samples, ImageNet 64 x 64, one forward pass (Table 1)", better: "lower" },
  "FID-XL": { about: "FID of 10,000 samples, SDXL on COCO 2014, four forward passes (Table 2)", better: "lower" },
} as const;

const fidOf = (rows: readonly PublishedRow[], who: string, nfe: number): number =>
  rows.find((row) => row.who === who && row.nfe === nfe)!.metrics.fid;

/** A method that Table 1 calls `one`, and Table 2 `four`. */
const row = (name: string, one?: string, four?: string): Pick<AblationRow, "name" | "quoted"> => ({
  name,
  quoted: {
    ...(one !== undefined && { "FID-64": fidOf(imagenet64, one, 1) }),
    ...(four !== undefined && { "FID-XL": fidOf(sdxl(["fid"]), four, 4) }),
  },
});

/** By the name of the method. One without an entry is shown by its own name, and nothing is quoted for it. */
export const named: Readonly<Record<string, Pick<AblationRow, "name" | "quoted">>> = {
  boot: row("BOOT", "BOOT"),
  consistency: row("consistency distillation", "Consistency Model"),
  ct: row("consistency training"),
  ctm: row("CTM", "CTM"),
  "decoupled-dmd": row("Decoupled DMD"),
  dfno: row("DFNO", "DFNO"),
  "diff-instruct": row("Diff-Instruct", "Diff-Instruct"),
  dmd: row("DMD", "DMD"),
  dmd2: row("DMD2", "DMD2", "DMD2"),
  "dp-dmd": row("DP-DMD, two steps"),
  ect: row("ECT"),
  "fastgen-dmd2": row("DMD2 as FastGen has it"),
  frechet: row("ECT, then a Fréchet distance"),
  "gan-alone": row("GAN alone"),
  "gan-ttur": row("GAN alone, five to one"),
  "guided-distillation": row("guided distillation (Meng et al.)", "Meng et al."),
  ict: row("iCT", "iCT-deep"),
  kd: row("knowledge distillation"),
  ladd: row("LADD"),
  lcm: row("LCM", undefined, "LCM-SDXL"),
  lightning: row("SDXL-Lightning", undefined, "SDXL-Lightning"),
  "mean-flow": row("MeanFlow"),
  progressive: row("progressive distillation", "Progressive Distillation"),
  reflow: row("rectified flow, straightened"),
  scm: row("sCM"),
  sid: row("SiD"),
  sida: row("SiDA"),
  tcm: row("TCM"),
  tract: row("TRACT", "TRACT"),
};
