import { files } from "../../../backends/host/files.ts";
import { runCache } from "../../../backends/host/runCache.ts";
import { Container } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import {
  BACKEND,
  CACHE,
  DATA_FOLDER,
  DATASET,
  DATASET_SOURCE,
  ENCODERS,
  EXTRACTORS,
  METRICS,
  type Metric,
  PACE,
  type Pace,
} from "../../../core/interfaces/mod.ts";
import type { PluginKind } from "../../../core/plugin/mod.ts";
import { formatShape } from "../../../core/tensor/mod.ts";
import { judgeSamples, provideShape, resolveJudges } from "../../../core/train/mod.ts";
import { judgementTable, table, workProgress } from "../../../plugins/observers/mod.ts";
import type { Given } from "../command.ts";
import { describeBackend, openBackend, tuning } from "../device.ts";
import { loadRegistry } from "../registry.ts";
import { checkOutput } from "../storedWeights.ts";
import { version } from "../version.ts";
import { checkGiven, configOf, withReference } from "./asked.ts";
import { drawnFrom, type Judged, pixelOptions, storedAt } from "./judged.ts";
import { evaluationPage, FirstSamples } from "./page.ts";
import { contentOf, type Protocol, type Report, withContents, withWeights } from "./protocol.ts";
import { type NamedProtocol, protocolNamed, protocols } from "./protocols.ts";
import { type ImagesAt, type Meaning, meaningOf, referenceAt } from "./sources.ts";

/** Judges samples of a run, of weights or of files against a reference, and says how. */
export async function run(given: Given): Promise<number> {
  if (given.on("protocol") && given.text("protocol") === undefined) {
    process.stdout.write(`${table(Object.entries(protocols).map(([name, { about }]) => [name, about]))}\n`);
    return 0;
  }
  const { samples: who, metrics, protocol } = await evaluate(given);
  const row = { who, nfe: Number(protocol.drawn?.nfe ?? 0), count: protocol.count, metrics };
  process.stdout.write(`${judgementTable([row])}\nprotocol  ${JSON.stringify(protocol)}\n`);
  return 0;
}

/** The same without a word about the result, for commands that judge several. */
export async function evaluate(given: Given): Promise<Report> {
  const [path] = given.positionals;
  const out = given.text("out");
  const page = out === undefined ? undefined : pageBeside(out);
  for (const file of [out, page]) if (file !== undefined) await checkOutput(file, given);
  const registry = await loadRegistry(given.all("plugin"));
  const name = given.text("protocol");
  const named = name === undefined ? undefined : protocolNamed(name);
  const wanted = configOf(given, registry, named);
  const input = await meaningOf(path, registry, given.text("data"));
  if (input.kind === "statistics")
    throw failure("E_USAGE", `Cannot evaluate ${path}: it holds statistics, should be samples`, {
      fix: "statistics are for --reference",
    });
  const referencePath = given.text("reference");
  if (named) checkGiven(name!, named, given, registry, Object.keys(wanted.metrics ?? {}));
  if (referencePath === undefined)
    throw failure("E_USAGE", "Cannot evaluate: there is no --reference", {
      fix: "name a folder of pictures, an .npz archive, or a dataset with --data",
    });
  const reference = await referenceAt(referencePath, registry, given.text("data"));
  if (reference.kind === "weights")
    throw failure("E_USAGE", `Cannot compare with ${referencePath}: it holds weights, should be images or statistics`);
  if (named && reference.kind !== named.reference.kind)
    throw failure(
      "E_USAGE",
      `Cannot evaluate by ${name}: --reference has ${reference.kind}, should be ${named.reference.what}`,
    );
  const judges = resolveJudges(withReference(wanted, reference, referencePath, registry, named), registry);
  const backend = await openBackend(given.text("device"), tuning(given));
  const container = new Container();
  const work = workProgress(process.stderr, "samples");
  let judged: Judged | undefined;
  try {
    process.stderr.write(`device  ${describeBackend(backend)}\n`);
    judged =
      input.kind === "weights"
        ? await drawnFrom(path, given, registry, backend, named)
        : await storedAt(input, given, registry, backend, named);
    if (named?.sample && named.sample.join() !== judged.shape.sample.join())
      throw failure(
        "E_DATA",
        `Cannot evaluate ${path} by ${name}: samples are ${formatShape(judged.shape.sample)}, should be ${formatShape(named.sample)}`,
      );
    const folder = reference.kind === "images" ? reference.folder : { files };
    container.value(BACKEND, backend, "the evaluation").value(DATA_FOLDER, folder, "the evaluation");
    const cache = runCache(version());
    if (cache) container.value(CACHE, cache, "the evaluation");
    const pace: Pace = async (...told) => work.tell(...told);
    container.value(PACE, pace, "the evaluation");
    for (const plugin of judges.plugins)
      if (reference.kind === "images" || plugin.kind !== "dataset") plugin.install(container);
    const size = await provideReference(container, reference.kind === "images", judged, named);
    const metrics = container.all(METRICS);
    checkCounts(metrics, judged.count);
    const least = Math.min(judged.count, size ?? judged.count);
    const warnings = metrics.flatMap((metric) => metric.caution?.(least) ?? []);
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    for (const metric of metrics) await metric.ready?.();
    const first = new FirstSamples(judged.shape);
    const found = await judgeSamples(
      metrics,
      first.seen(judged.samples((done, total) => pace("judging samples", done, total))),
    );
    const report: Report = {
      samples: path,
      metrics: found,
      protocol: await protocolOf({ name, judged, judges, reference, referencePath, size }, container),
      ...(warnings.length > 0 && { warnings }),
      made: { version: version(), device: describeBackend(backend), at: new Date().toISOString() },
    };
    if (out !== undefined && page !== undefined) {
      const text = await evaluationPage(report, first, named);
      await files.write(out, new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`));
      await files.write(page, new TextEncoder().encode(text));
    }
    return report;
  } finally {
    work.close();
    await judged?.close();
    await container.dispose();
    await backend.close();
  }
}

/** What an evaluation was made of. */
interface Made {
  /** Of the protocol, where one was named. */
  readonly name: string | undefined;
  readonly judged: Judged;
  readonly judges: ReturnType<typeof resolveJudges>;
  readonly reference: Meaning;
  readonly referencePath: string;
  /** Samples of the reference, where it has some. */
  readonly size: number | undefined;
}

async function protocolOf(
  { name, judged, judges, reference, referencePath, size }: Made,
  container: Container,
): Promise<Protocol> {
  const dataset = judges.plugins.find(({ kind }) => kind === "dataset");
  const optionsOf = (kind: PluginKind) =>
    Object.fromEntries(judges.plugins.filter((each) => each.kind === kind).map(({ name, options }) => [name, options]));
  const encoders = container.all(ENCODERS);
  const place = reference.kind === "images" ? contentPath(reference) : referencePath;
  return {
    ...(name !== undefined && { name }),
    ...(judged.drawn && { drawn: judged.drawn }),
    count: judged.count,
    samples: { shape: judged.shape.sample, ...judged.read },
    reference: {
      content: (await contentOf(place)) ?? referencePath,
      ...(reference.kind === "images" && dataset && { use: dataset.name, ...pixelOptions(dataset.options) }),
      ...(size && { samples: size }),
    },
    metrics: await withContents(judges.config.metrics),
    extractors: await withWeights(optionsOf("extractor"), container.all(EXTRACTORS)),
    ...(encoders.length > 0 && { encoders: await withWeights(optionsOf("encoder"), encoders) }),
  };
}

/** `a.html` beside `a.json`. */
const pageBeside = (out: string): string => `${out.replace(/\.json$/, "")}.html`;

/** The file or folder that images are read from. */
const contentPath = ({ dataset: { file }, folder }: ImagesAt): string =>
  typeof file === "string" ? file : (folder.path ?? "");

/** Gives the container the reference, and resolves with its number of samples where it has some. */
async function provideReference(
  container: Container,
  hasImages: boolean,
  judged: Judged,
  named: NamedProtocol | undefined,
): Promise<number | undefined> {
  if (!hasImages) {
    provideShape(container, judged.shape, "the samples");
    return undefined;
  }
  const dataset = await container.get(DATASET_SOURCE);
  container.value(DATASET, dataset, "the evaluation");
  const [own, others] = [judged.shape.sample, dataset.shape.sample];
  // A protocol that crops or resizes brings both to one size; the metric sees to it.
  const isSized = named?.reference.pictures !== undefined && own[0] === others[0];
  if (!isSized && own.join() !== others.join())
    throw failure("E_DATA", `Cannot compare samples ${formatShape(own)} with a reference of ${formatShape(others)}`, {
      fix: "name a reference of the same size and number of channels",
    });
  provideShape(container, dataset.shape, "the reference");
  const count = dataset.test ? undefined : dataset.size;
  if (named?.reference.count !== undefined && count !== named.reference.count)
    process.stderr.write(
      `warning: the reference has ${count ?? "held-out"} pictures, the protocol's has ${named.reference.count}\n`,
    );
  return count;
}

function checkCounts(metrics: readonly Metric[], count: number): void {
  for (const { name, least = 1 } of metrics)
    if (count < least)
      throw failure("E_OPTION", `Cannot judge ${count} samples with ${name}: should be ${least} or more`);
}
