import { type Metric, paceOf } from "../../core/interfaces/mod.ts";
import { boolean, definePlugin, number } from "../../core/plugin/mod.ts";
import { featureMetric } from "./shared/featureMetric.ts";
import { type KernelSums, squaredDiscrepancy, sumsBetween, sumsWithin, unitRows } from "./shared/gaussianMmd.ts";
import { partsNumbers, partsOf, partsOption, rowsOfPart } from "./shared/intervals.ts";
import type { FeatureRows } from "./shared/kernelDistance.ts";
import { pictureOptions } from "./shared/pictures.ts";

/** Makes numbers readable. */
const SCALE = 1000;

/**
 * CMMD: the squared maximum mean discrepancy of CLIP's embeddings of samples and reference, of unit length, with the kernel
 * exp(−‖x − y‖²/(2σ²)), times 1,000. It supposes no Gaussian, and needs fewer samples than FID. The paper's numbers are of
 * `extractors.clip-vision.network=ViT-L/14@336px`, and of the biased estimate, which the official code has; the unbiased one is nearly equal from a few hundred
 * samples on. Jayasumana et al. 2024, arXiv:2401.09603; formula, σ, scale and crops as in google-research/cmmd, read but not run.
 */
export const cmmd = definePlugin({
  name: "cmmd",
  kind: "metric",
  about: "Maximum mean discrepancy of CLIP embeddings to the data's held-out samples",
  options: {
    sigma: number({ default: 10, above: 0, about: "width σ of the kernel, for embeddings of unit length" }),
    unbiased: boolean({ default: false, about: "leave pairs of a sample with itself out" }),
    ...partsOption,
    ...pictureOptions,
  },
  needs: () => [{ kind: "extractor", use: "clip-vision" }],
  create({ sigma, unbiased, parts, ...pictures }, container): Metric {
    let known: Promise<{ readonly rows: FeatureRows; readonly sums: KernelSums }> | undefined;
    return featureMetric(container, {
      name: "cmmd",
      extractor: "clip-vision",
      least: 2,
      pictures,
      async judge({ embeds }, reference) {
        const kernel = { sigma, pace: paceOf(container) };
        known ??= reference.rows("embeds").then(async (found) => {
          const rows = unitRows(found);
          return { rows, sums: await sumsWithin(rows, 0, kernel) };
        });
        // Shuffled, because a part is every n-th row and classes often come in turn.
        const [seen, real] = [unitRows(rowsOfPart(embeds, 0, 1)), await known];
        const used = partsOf(seen.data.length / seen.D, parts);
        const within = await sumsWithin(seen, used, kernel);
        const between = await sumsBetween(seen, real.rows, kernel);
        const of = (x: { readonly count: number; readonly all: number }, sum: number) =>
          SCALE * squaredDiscrepancy(x, real.sums, sum, unbiased);
        const distances = within.parts.map((part, p) =>
          of(
            part,
            between.reduce((sum, each, i) => sum + (i % used === p ? each : 0), 0),
          ),
        );
        const whole = of(
          within,
          between.reduce((sum, each) => sum + each, 0),
        );
        return partsNumbers("cmmd", whole, distances);
      },
    });
  },
});
