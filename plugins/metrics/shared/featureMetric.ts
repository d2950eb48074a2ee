import type { Resolver } from "../../../core/di/mod.ts";
import type { Metric } from "../../../core/interfaces/mod.ts";
import { joined } from "../../../core/tensor/mod.ts";
import { Features } from "./features.ts";
import type { FeatureRows } from "./kernelDistance.ts";
import type { PictureOptions } from "./pictures.ts";
import type { Reference } from "./reference.ts";

/** What a metric of an extractor's features is. */
export interface FeatureMetric<Name extends string = string> {
  readonly name: string;
  /** Name of the extractor. */
  readonly extractor: string;
  readonly least?: number;
  readonly pictures: PictureOptions;
  /** Reads its own files, before training. */
  readonly ready?: () => Promise<unknown>;
  /** What to know about numbers of so few samples. */
  readonly caution?: Metric["caution"];
  /**
   * Numbers about the features of a set; `reference` has those of the data, `labels` [count] the class that each sample was asked
   * for, none where the data have no classes.
   */
  judge(
    seen: Readonly<Record<Name, FeatureRows>>,
    reference: Reference,
    labels: Int32Array,
  ): Promise<Readonly<Record<string, number>>>;
  /** Frees what it holds besides. */
  readonly dispose?: () => Promise<void>;
}

/** A metric over features that all metrics of a run share. */
export function featureMetric<Name extends string>(
  container: Resolver,
  { name, extractor, least, pictures, ready, caution, judge, dispose }: FeatureMetric<Name>,
): Metric {
  let features: Features | undefined;
  const shared = () => (features ??= Features.of(container, extractor, pictures));
  // A metric without a reference needs no data.
  const reference: Reference = {
    rows: (feature) => shared().reference().rows(feature),
    statistics: (feature) => shared().reference().statistics(feature),
  };
  return {
    name,
    least,
    caution,
    get bytesPerSample() {
      return 4 * Object.values(shared().extractor.widths).reduce((sum, width) => sum + width, 0);
    },
    ready: () => Promise.all([shared().extractor.load(), ready?.()]),
    begin() {
      const set = shared().begin();
      const labels: Int32Array[] = [];
      return {
        take(samples) {
          if (samples.condition.label) labels.push(samples.condition.label as Int32Array);
          return set.take(samples);
        },
        result() {
          const all = labels.length > 0 ? joined(labels) : new Int32Array(0);
          return judge(set.rows() as Readonly<Record<Name, FeatureRows>>, reference, all);
        },
      };
    },
    async dispose() {
      await Promise.all([features?.release(), dispose?.()]);
    },
  };
}
