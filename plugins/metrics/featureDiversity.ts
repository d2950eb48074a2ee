import type { Metric } from "../../core/interfaces/mod.ts";
import { choice, definePlugin } from "../../core/plugin/mod.ts";
import { cosines } from "./shared/cosines.ts";
import { featureMetric } from "./shared/featureMetric.ts";
import { Groups, groupOptions, meansOf } from "./shared/groups.ts";
import { meanNumbers } from "./shared/intervals.ts";
import type { FeatureRows } from "./shared/kernelDistance.ts";
import { pictureOptions } from "./shared/pictures.ts";

/** Where the features come from. */
const FEATURES = { dinov2: "cls", inception: "pool3", "clip-vision": "embeds", classifier: "features" } as const;

/**
 * How different samples of one class, or of one prompt, are in the eyes of a network: 1 less the cosine between the features of two,
 * averaged over the pairs of the first `each` of a class, then over classes. 0 where all are alike. The row of real data shows what
 * is right; a distance from the data that falls while this falls below it tells of a generator that leaves things out.
 */
export const featureDiversity = definePlugin({
  name: "feature-diversity",
  kind: "metric",
  about: "Mean cosine distance between features of samples of one class or prompt",
  options: {
    ...groupOptions("label", 50),
    extractor: choice(["dinov2", "inception", "clip-vision", "classifier"], {
      default: "dinov2",
      about: "whose features; those of the classifier need no file, and say most of what tells classes apart",
    }),
    ...pictureOptions,
  },
  needs: ({ extractor }) => [{ kind: "extractor", use: extractor }],
  create: ({ by, each, extractor, ...pictures }, container): Metric =>
    featureMetric(container, {
      name: "feature-diversity",
      extractor,
      least: 2,
      pictures,
      async judge(seen, _, labels) {
        return meanNumbers("feature-diversity", meansOf(pairsOf(seen[FEATURES[extractor]], labels, { by, each })));
      },
    }),
});

/** The pairs of each group, and how far they are apart. */
function* pairsOf(
  rows: FeatureRows,
  labels: ArrayLike<number>,
  grouping: { readonly by: "prompt" | "label"; readonly each: number },
): Generator<readonly [number, number]> {
  const groups = new Groups(grouping);
  const members = new Map<number, number[]>();
  const { D } = rows;
  const row = (i: number): FeatureRows => ({ data: (rows.data as Float32Array).subarray(i * D, (i + 1) * D), D });
  for (let i = 0; i < rows.data.length / D; i++) {
    const group = groups.next(labels[i]);
    if (group === undefined) continue;
    const others = members.get(group) ?? [];
    for (const other of others) yield [group, 1 - cosines(row(i), row(other))[0]];
    members.set(group, [...others, i]);
  }
}
