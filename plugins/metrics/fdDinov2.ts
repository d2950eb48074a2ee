import { extractorNamed, type Metric, paceOf } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { featureMetric } from "./shared/featureMetric.ts";
import { cautionOf, frechetNumbers } from "./shared/frechetNumbers.ts";
import { partsOption } from "./shared/intervals.ts";
import { pictureOptions } from "./shared/pictures.ts";

/**
 * Fréchet distance of Gaussians through DINOv2's class tokens, samples and reference, by the formula of FID. With ViT-L/14 at 224
 * pixels that is FD-DINOv2, which goes with what people see better than FID does. Hundreds are usual, not tens. It falls with the
 * number of samples; 50,000 are usual. Stein et al. 2023, arXiv:2306.04675. Not checked against numbers of the official code.
 */
export const fdDinov2 = definePlugin({
  name: "fd-dinov2",
  kind: "metric",
  about: "Fréchet distance in DINOv2's features to the data's held-out samples",
  options: { ...partsOption, ...pictureOptions },
  needs: () => [{ kind: "extractor", use: "dinov2" }],
  create({ parts, ...pictures }, container): Metric {
    const { widths } = extractorNamed(container, "dinov2");
    return featureMetric(container, {
      name: "fd-dinov2",
      extractor: "dinov2",
      least: 2,
      pictures,
      caution: cautionOf("fd-dinov2", widths.cls, "take more samples"),
      judge: async ({ cls }, reference) =>
        frechetNumbers("fd-dinov2", cls, await reference.statistics("cls"), { parts, pace: paceOf(container) }),
    });
  },
});
