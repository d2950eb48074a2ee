import { type Metric, paceOf } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { cautionOf, frechetNumbers } from "./shared/frechetNumbers.ts";
import { inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { partsOption } from "./shared/intervals.ts";
import { pictureOptions } from "./shared/pictures.ts";

/**
 * Patch FID: FID of the middle 299 × 299 pixels of pictures at their own resolution, which sees whether fine details are right.
 * Smaller pictures are left whole. DMD2's numbers take `extractors.inception.reading=clean`, and crops of the original files as
 * the reference, however large those are. Lin et al. 2024, arXiv:2402.13929; Yin et al. 2024, arXiv:2405.14867, appendix G.
 */
export const patchFid = definePlugin({
  name: "patch-fid",
  kind: "metric",
  about: "Fréchet Inception Distance of crops at full resolution to the data's held-out samples",
  options: {
    cut: number({ default: 299, min: 1, max: 8192, integer: true, about: "height and width of the crops in pixels" }),
    ...partsOption,
    bytes: pictureOptions.bytes,
  },
  needs: inceptionNeed,
  create: ({ cut, parts, bytes }, container): Metric =>
    inceptionMetric(container, {
      name: "patch-fid",
      least: 2,
      pictures: { bytes, size: 0, cut },
      caution: cautionOf("patch-fid", 2048, "take more samples, or kid, which has no such bias"),
      judge: async ({ pool3 }, reference) =>
        frechetNumbers("patch-fid", pool3, await reference.statistics("pool3"), { parts, pace: paceOf(container) }),
    }),
});
