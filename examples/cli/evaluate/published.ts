/** What papers print, to stand beside what is measured. Yin et al. 2024, DMD2, arXiv:2405.14867, Tables 1 and 2. */

/** A row of a published table: who, network calls per sample, and its numbers by the names that metrics have here. */
export interface PublishedRow {
  readonly who: string;
  readonly nfe: number;
  readonly metrics: Readonly<Record<string, number>>;
}

const fid = (who: string, nfe: number, value: number): PublishedRow => ({ who, nfe, metrics: { fid: value } });

/** Table 1: ImageNet at 64 pixels. */
export const imagenet64: readonly PublishedRow[] = [
  fid("BigGAN-deep", 1, 4.06),
  fid("ADM", 250, 2.07),
  fid("RIN", 1000, 1.23),
  fid("StyleGAN-XL", 1, 1.52),
  fid("Progressive Distillation", 1, 15.39),
  fid("DFNO", 1, 7.83),
  fid("BOOT", 1, 16.3),
  fid("TRACT", 1, 7.43),
  fid("Meng et al.", 1, 7.54),
  fid("Diff-Instruct", 1, 5.57),
  fid("Consistency Model", 1, 6.2),
  fid("iCT-deep", 1, 3.25),
  fid("CTM", 1, 1.92),
  fid("DMD", 1, 2.62),
  fid("DMD2", 1, 1.51),
  fid("DMD2, longer", 1, 1.28),
  fid("EDM, ODE", 511, 2.32),
  fid("EDM, SDE", 511, 1.36),
];

/** Table 2: SDXL on COCO-10K. */
const table2: readonly (readonly [who: string, nfe: number, fid: number, patch: number, clip: number])[] = [
  ["LCM-SDXL", 1, 81.62, 154.4, 0.275],
  ["LCM-SDXL", 4, 22.16, 33.92, 0.317],
  ["SDXL-Turbo", 1, 24.57, 23.94, 0.337],
  ["SDXL-Turbo", 4, 23.19, 23.27, 0.334],
  ["SDXL-Lightning", 1, 23.92, 31.65, 0.316],
  ["SDXL-Lightning", 4, 24.46, 24.56, 0.323],
  ["DMD2", 1, 19.01, 26.98, 0.336],
  ["DMD2", 4, 19.32, 20.86, 0.332],
  ["SDXL, guidance 6", 100, 19.36, 21.38, 0.332],
  ["SDXL, guidance 8", 100, 20.39, 23.21, 0.335],
];

/** The columns of Table 2 that a protocol has. */
export const sdxl = (columns: readonly string[]): readonly PublishedRow[] =>
  table2.map(([who, nfe, ...values]) => {
    const all = { fid: values[0], "patch-fid": values[1], "clip-score": values[2] };
    return { who, nfe, metrics: Object.fromEntries(Object.entries(all).filter(([name]) => columns.includes(name))) };
  });
