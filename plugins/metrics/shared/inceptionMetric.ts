import type { Resolver } from "../../../core/di/mod.ts";
import type { Metric } from "../../../core/interfaces/mod.ts";
import { type FeatureMetric, featureMetric } from "./featureMetric.ts";

/** The extractor that metrics of Inception features need. */
export const inceptionNeed = () => [{ kind: "extractor" as const, use: "inception" }];

/** Names of Inception's features. */
type InceptionFeature = "pool3" | "logits" | "logitsWithoutBias" | "spatial";

/** A metric over what Inception sees. */
export const inceptionMetric = (
  container: Resolver,
  metric: Omit<FeatureMetric<InceptionFeature>, "extractor">,
): Metric => featureMetric(container, { ...metric, extractor: "inception" });
