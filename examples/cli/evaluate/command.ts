import { files } from "../../../backends/host/files.ts";
import { runCache } from "../../../backends/host/runCache.ts";
import { Container } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import {
  BACKEND,
  type Backend,
  CACHE,
  DATA_FOLDER,
  DATASET,
  DATASET_SOURCE,
  type DataFolder,
  type Dataset,
  METRICS,
  type Metric,
  type SampleSet,
} from "../../../core/interfaces/mod.ts";
import { mergeConfig, number, type Registry, readSetting, settingOverlay } from "../../../core/plugin/mod.ts";
import { formatShape } from "../../../core/tensor/mod.ts";
import { type JudgeConfig, judgeSamples, provideShape, readWeights, resolveJudges } from "../../../core/train/mod.ts";
import { judgementTable } from "../../../plugins/observers/mod.ts";
import type { Given } from "../command.ts";
import { describeBackend, openBackend, tuning } from "../device.ts";
import { loadRegistry } from "../registry.ts";
import { checkOutput, findWeights, openDrawer, readNumbers, samplerSettings, storedPlugins } from "../storedWeights.ts";
import { version } from "../version.ts";
import { contentOf, type Report, withContents } from "./protocol.ts";
import { type ImagesAt, meaningOf, portionsOf, referenceAt } from "./sources.ts";

const numbers = {
  n: number({ default: 10_000, min: 1, max: 2 ** 31, integer: true, about: "samples" }),
  seed: number({ default: 0, min: 0, max: 2 ** 31, integer: true, about: "every random draw follows from it" }),
};

/** What is judged: its samples in portions, and how they were made. */
interface Judged {
  readonly shape: Dataset["shape"];
  readonly count: number;
  readonly nfe: number;
  readonly drawn?: Readonly<Record<string, unknown>>;
  samples(): AsyncIterable<SampleSet>;
  close(): Promise<void>;
}

/** Judges samples of a run, of weights or of files against a reference, and says how. */
export async function run(given: Given): Promise<number> {
  const { samples: who, metrics, protocol } = await evaluate(given);
  const row = { who, nfe: Number(protocol.drawn?.nfe ?? 0), count: protocol.count, metrics };
  process.stdout.write(`${judgementTable([row])}\nprotocol  ${JSON.stringify(protocol)}\n`);
  return 0;
}

/** The same without a word about the result, for commands that judge several. */
export async function evaluate(given: Given): Promise<Report> {
  const [path] = given.positionals;
  const out = given.text("out");
  if (out !== undefined) await checkOutput(out, given);
  const registry = await loadRegistry(given.all("plugin"));
  const config = configOf(given, registry);
  const input = await meaningOf(path, registry, given.text("data"));
  if (input.kind === "statistics")
    throw failure("E_USAGE", `Cannot evaluate ${path}: it holds statistics, should be samples`, {
      fix: "statistics are for --reference",
    });
  const referencePath = given.text("reference");
  if (referencePath === undefined)
    throw failure("E_USAGE", "Cannot evaluate: there is no --reference", {
      fix: "name a folder of pictures, an .npz archive, or a dataset with --data",
    });
  const reference = await referenceAt(referencePath, registry, given.text("data"));
  if (reference.kind === "weights")
    throw failure("E_USAGE", `Cannot compare with ${referencePath}: it holds weights, should be images or statistics`);
  const judges = resolveJudges(
    withReference(config, reference.kind === "images" ? reference : undefined, referencePath),
    registry,
  );
  const backend = await openBackend(given.text("device"), tuning(given));
  const container = new Container();
  try {
    process.stderr.write(`device  ${describeBackend(backend)}\n`);
    const judged =
      input.kind === "weights"
        ? await drawnFrom(path, given, registry, backend)
        : await storedAt(input, given, registry, backend);
    const folder = reference.kind === "images" ? reference.folder : { files };
    container.value(BACKEND, backend, "the evaluation").value(DATA_FOLDER, folder, "the evaluation");
    const cache = runCache(version());
    if (cache) container.value(CACHE, cache, "the evaluation");
    for (const plugin of judges.plugins)
      if (reference.kind === "images" || plugin.kind !== "dataset") plugin.install(container);
    const size = await provideReference(container, reference.kind === "images", judged);
    const metrics = container.all(METRICS);
    checkCounts(metrics, judged.count);
    const found = await judgeSamples(metrics, judged.samples());
    const report: Report = {
      samples: path,
      metrics: found,
      protocol: {
        ...(judged.drawn && { drawn: judged.drawn }),
        count: judged.count,
        reference: { content: (await contentOf(referencePath)) ?? referencePath, ...(size && { samples: size }) },
        metrics: await withContents(judges.config.metrics),
        extractors: await withContents(
          Object.fromEntries(
            judges.plugins.filter(({ kind }) => kind === "extractor").map(({ name, options }) => [name, options]),
          ),
        ),
      },
    };
    if (out !== undefined)
      await files.write(out, new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`));
    await judged.close();
    return report;
  } finally {
    await container.dispose();
    await backend.close();
  }
}

/** The metrics that are asked for, with settings laid over them. */
function configOf(given: Given, registry: Registry): JudgeConfig {
  const names = (given.text("metric") ?? "").split(",").filter((name) => name !== "");
  if (names.length === 0)
    throw failure("E_USAGE", "Cannot evaluate: there is no --metric", {
      fix: `name one or more of ${registry
        .list("metric")
        .map(({ definition }) => definition.name)
        .join(", ")}, joined by commas`,
    });
  const metrics = Object.fromEntries(names.map((name) => [name, {}]));
  const settings = given.all("set").map(readSetting).map(settingOverlay);
  return settings.reduce<JudgeConfig>(mergeConfig, { metrics, dataset: { use: "npz" } });
}

/** Published statistics are an option of the one metric that takes them. */
function withReference(config: JudgeConfig, reference: ImagesAt | undefined, path: string): JudgeConfig {
  if (reference) return mergeConfig(config, { dataset: reference.dataset }) as JudgeConfig;
  const others = Object.keys(config.metrics ?? {}).filter((name) => name !== "fid");
  if (others.length > 0)
    throw failure(
      "E_USAGE",
      `Cannot compare ${others.join(", ")} with ${path}: it holds means and covariances of features`,
      {
        fix: "leave them out of --metric, or name images as --reference",
      },
    );
  return mergeConfig(config, { metrics: { fid: { statistics: path } } }) as JudgeConfig;
}

/** Gives the container the reference, and resolves with its number of samples where it has some. */
async function provideReference(container: Container, hasImages: boolean, judged: Judged): Promise<number | undefined> {
  if (!hasImages) {
    provideShape(container, judged.shape, "the samples");
    return undefined;
  }
  const dataset = await container.get(DATASET_SOURCE);
  container.value(DATASET, dataset, "the evaluation");
  const [own, others] = [judged.shape.sample, dataset.shape.sample];
  if (own.join() !== others.join())
    throw failure("E_DATA", `Cannot compare samples ${formatShape(own)} with a reference of ${formatShape(others)}`, {
      fix: "name a reference of the same size and number of channels",
    });
  provideShape(container, dataset.shape, "the reference");
  return dataset.test ? undefined : dataset.size;
}

function checkCounts(metrics: readonly Metric[], count: number): void {
  for (const { name, least = 1 } of metrics)
    if (count < least)
      throw failure("E_OPTION", `Cannot judge ${count} samples with ${name}: should be ${least} or more`);
}

/** Samples that are drawn from weights, as `onestep sample` draws them. */
async function drawnFrom(path: string, given: Given, registry: Registry, backend: Backend): Promise<Judged> {
  const { n: count, seed } = readNumbers("evaluate", numbers, given);
  const role = given.text("role");
  const file = await findWeights(path, role === undefined ? ["generator", "teacher"] : [role]);
  const stored = await readWeights(files, file);
  const { info } = stored;
  const sampler = given.text("sampler") ?? info.config.sampler?.use ?? "heun";
  const plugins = storedPlugins(info, sampler, samplerSettings({ ...given, all: () => [] }), registry);
  const { drawer, close } = await openDrawer(backend, plugins, stored, { count, ownLevels: !given.on("sampler") });
  return {
    shape: info.data,
    count,
    nfe: drawer.nfe,
    drawn: { role: info.role, nfe: drawer.nfe, seed, ...(info.role === "teacher" && { sampler }) },
    samples: () => drawer.batches({ count, seed }),
    close,
  };
}

/** Samples of files: the first `--n`, or all. */
async function storedAt(
  { dataset: use, folder }: { readonly dataset: ImagesAt["dataset"]; readonly folder: DataFolder },
  given: Given,
  registry: Registry,
  backend: Backend,
): Promise<Judged> {
  const { use: name, ...options } = use;
  const container = new Container();
  container.value(BACKEND, backend, "the samples").value(DATA_FOLDER, folder, "the samples");
  registry.get("dataset", name).configure(options).install(container);
  const dataset = await container.get(DATASET_SOURCE);
  const wanted = given.on("n") ? readNumbers("evaluate", numbers, given).n : dataset.size;
  if (!Number.isFinite(wanted)) throw failure("E_USAGE", `Cannot evaluate ${name}: it has no end`, { fix: "give --n" });
  if (wanted > dataset.size)
    throw failure("E_OPTION", `Cannot judge ${wanted} samples: there are ${dataset.size}`, {
      fix: "give a smaller --n",
    });
  return {
    shape: dataset.shape,
    count: wanted,
    nfe: 0,
    samples: () => portionsOf(dataset, wanted),
    close: () => container.dispose(),
  };
}
