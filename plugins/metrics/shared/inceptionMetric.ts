import type { Resolver } from "../../../core/di/mod.ts";
import type { Metric } from "../../../core/interfaces/mod.ts";
import type { Rows } from "../../../core/nn/mod.ts";
import { type ByteRule, byteRules } from "../../../core/pixels/mod.ts";
import { choice, type OptionSpec } from "../../../core/plugin/mod.ts";
import { Features } from "./features.ts";
import type { FeatureRows } from "./kernelDistance.ts";
import type { Reference } from "./reference.ts";

/** The option that every metric over pictures has. */
export const bytesOption: { readonly bytes: OptionSpec<ByteRule> } = {
  bytes: choice(byteRules, {
    default: "dmd2",
    about: "how values become bytes: cut off after (x + 1)·127.5 or x·127.5 + 128, or rounded",
  }),
};

/** The extractor that metrics of Inception features need. */
export const inceptionNeed = () => [{ kind: "extractor" as const, use: "inception" }];

/** Features of a set, by name. */
export type SeenRows = Readonly<Record<"pool3" | "logits" | "logitsWithoutBias" | "spatial", FeatureRows>>;

/** What a metric of Inception features is. */
export interface InceptionMetric {
  readonly name: string;
  readonly least?: number;
  readonly bytes: ByteRule;
  /** Reads its own files, before training. */
  readonly ready?: () => Promise<unknown>;
  /** Numbers about the features of a set; `reference` has those of the data. */
  judge(seen: SeenRows, reference: Reference): Promise<Readonly<Record<string, number>>>;
}

/** A metric over features that all metrics of a run share. */
export function inceptionMetric(container: Resolver, { name, least, bytes, ready, judge }: InceptionMetric): Metric {
  let features: Features | undefined;
  const shared = () => (features ??= Features.of(container, "inception", bytes));
  return {
    name,
    least,
    ready: () => Promise.all([shared().extractor.load(), ready?.()]),
    begin() {
      const set = shared().begin();
      return {
        take: (samples) => set.take(samples),
        async result() {
          const { widths } = shared().extractor;
          return judge(
            seenRows(set.rows(), widths.pool3),
            lazy(() => shared().reference()),
          );
        },
      };
    },
    dispose: () => features?.release(),
  };
}

/** A metric without a reference needs no data. */
const lazy = (made: () => Reference): Reference => ({
  rows: (feature) => made().rows(feature),
  statistics: (feature) => made().statistics(feature),
});

/** Maps count as long vectors; `pool3` has this width, so many rows there are. */
function seenRows(rows: Rows, width: number): SeenRows {
  const count = rows.pool3.length / width;
  const named = Object.entries(rows).map(([name, data]) => [name, { data, D: data.length / count }]);
  return Object.fromEntries(named) as SeenRows;
}
