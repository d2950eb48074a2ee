/** What an evaluation is asked for: the metrics with their settings, a protocol, and the reference. */
import { failure } from "../../../core/errors.ts";
import { mergeConfig, type Registry, readSetting, settingOverlay } from "../../../core/plugin/mod.ts";
import type { JudgeConfig } from "../../../core/train/mod.ts";
import type { Given } from "../command.ts";
import { missingFor, type NamedProtocol } from "./protocols.ts";
import type { Meaning } from "./sources.ts";

/** Whether all is given that a protocol needs, told in one line. */
export function checkGiven(
  name: string,
  named: NamedProtocol,
  given: Given,
  registry: Registry,
  metrics: readonly string[],
): void {
  const set = given.all("set").map(readSetting);
  const missing = missingFor(named, {
    has: (kind, each) => registry.has(kind, each),
    weights: (extractor) => set.some(([path]) => path === `extractors.${extractor}.weights`),
    set: (option) => set.some(([path]) => path === option),
    reference: given.text("reference") !== undefined,
    metrics,
  });
  if (missing.length > 0) throw failure("E_USAGE", `Cannot evaluate by ${name}: it needs ${missing.join(" and ")}`);
}

/** The metrics that are asked for, with settings laid over them. */
export function configOf(given: Given, registry: Registry, named: NamedProtocol | undefined): JudgeConfig {
  const all = named ? Object.keys(named.metrics) : registry.list("metric").map(({ definition }) => definition.name);
  const names = (given.text("metric") ?? "").split(",").filter((name) => name !== "");
  if (names.length === 0 && named) names.push(...all);
  if (names.length === 0)
    throw failure("E_USAGE", "Cannot evaluate: there is no --metric", {
      fix: `name one or more of ${all.join(", ")}, joined by commas`,
    });
  const other = named && names.find((name) => !all.includes(name));
  if (other !== undefined)
    throw failure(
      "E_USAGE",
      `Cannot evaluate by ${given.text("protocol")}: it has no ${other}, but ${all.join(", ")}`,
      {
        fix: "leave --metric out for all of them",
      },
    );
  const metrics = Object.fromEntries(names.map((name) => [name, named?.metrics[name] ?? {}]));
  const settings = given.all("set").map(readSetting).map(settingOverlay);
  const base: JudgeConfig = {
    metrics,
    dataset: { use: "npz" },
    ...(named && { extractors: named.extractors }),
  };
  const besides = names.flatMap((name) => named?.besides?.[name] ?? []);
  const whole = besides.reduce<JudgeConfig>(
    (config, { extractors, encoders }) => mergeConfig(config, { extractors, encoders }),
    base,
  );
  return settings.reduce<JudgeConfig>(mergeConfig, whole);
}

/** Images are the dataset; published statistics are an option of the metrics that take some. */
export function withReference(
  config: JudgeConfig,
  reference: Exclude<Meaning, { kind: "weights" }>,
  path: string,
  registry: Registry,
  named: NamedProtocol | undefined,
): JudgeConfig {
  if (reference.kind === "images") {
    const { dataset } = reference;
    const sizes = dataset.use === "pictures" ? named?.reference.pictures : undefined;
    return { ...config, dataset: { ...sizes, ...config.dataset, ...dataset } };
  }
  const takes = (name: string) => "statistics" in registry.get("metric", name).definition.options;
  const [able, others] = [true, false].map((can) =>
    Object.keys(config.metrics ?? {}).filter((name) => takes(name) === can),
  );
  if (others.length > 0)
    throw failure(
      "E_USAGE",
      `Cannot compare ${others.join(", ")} with ${path}: it holds means and covariances of features`,
      {
        fix: "leave them out of --metric, or name images as --reference",
      },
    );
  return mergeConfig(config, {
    metrics: Object.fromEntries(able.map((name) => [name, { statistics: path }])),
  }) as JudgeConfig;
}
