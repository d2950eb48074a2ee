import { files } from "../../../backends/host/files.ts";
import { Container } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import {
  BACKEND,
  type Backend,
  DATA_FOLDER,
  DATASET_SOURCE,
  type DataFolder,
  type Dataset,
  type SampleSet,
} from "../../../core/interfaces/mod.ts";
import { mergeConfig, number, type Registry, readSetting, settingOverlay } from "../../../core/plugin/mod.ts";
import { readWeights } from "../../../core/train/mod.ts";
import type { Given } from "../command.ts";
import { promptsFor } from "../prompts.ts";
import { findWeights, openDrawer, readNumbers, samplerSettings, storedPlugins } from "../storedWeights.ts";
import { guidanceFlag, toldScale } from "../toldScale.ts";
import { contentOf } from "./protocol.ts";
import { type ImagesAt, portionsOf } from "./sources.ts";

type Tell = (done: number, total: number) => Promise<void>;

/** What is judged: its samples in portions, and how they were made. */
export interface Judged {
  readonly shape: Dataset["shape"];
  readonly count: number;
  readonly nfe: number;
  /** Of samples that are drawn: whose, from which noise, by which sampler. */
  readonly drawn?: Readonly<Record<string, unknown>>;
  /** Of samples of files: what is done with them as they are read, such as cropping. */
  readonly read?: Readonly<Record<string, unknown>>;
  /** `tell` hears how many are done. */
  samples(tell: Tell): AsyncIterable<SampleSet>;
  close(): Promise<void>;
}

/** The flags that are numbers, with the defaults of a protocol. */
const numbersOf = ({ count = 10_000, seed = 0 }: { readonly count?: number; readonly seed?: number } = {}) => ({
  n: number({ default: count, min: 1, max: 2 ** 31, integer: true, about: "samples" }),
  seed: number({ default: seed, min: 0, max: 2 ** 31, integer: true, about: "every random draw follows from it" }),
});

/** How many samples of which seed, where no flag says it. */
type Defaults = Parameters<typeof numbersOf>[0];

/** Samples that are drawn from weights, as `onestep sample` draws them. */
export async function drawnFrom(
  path: string,
  given: Given,
  registry: Registry,
  backend: Backend,
  defaults?: Defaults,
): Promise<Judged> {
  const numbers = { ...numbersOf(defaults), guidance: guidanceFlag };
  const { n: count, seed, guidance } = readNumbers("evaluate", numbers, given);
  const role = given.text("role");
  const weights = await findWeights(path, role === undefined ? ["generator", "teacher"] : [role]);
  const stored = await readWeights(files, weights);
  const info = toldScale("evaluate", stored.info, guidance);
  const named = given.text("sampler") ?? info.config.sampler?.use ?? "heun";
  const plugins = storedPlugins(info, named, samplerSettings({ ...given, all: () => [] }), registry);
  const file = given.text("prompts");
  const prompts = await promptsFor("evaluate", file, files, info.data.condition, count);
  const ownLevels = !given.on("sampler");
  const { drawer, sampler, close } = await openDrawer(backend, plugins, stored, { count, ownLevels });
  // A role of few steps has levels of its own, which no sampler of that name has.
  const { name, options } = plugins[plugins.length - 1];
  const isNamed = info.role === "teacher" || !ownLevels;
  return {
    shape: info.data,
    count,
    nfe: drawer.nfe,
    drawn: {
      role: info.role,
      nfe: drawer.nfe,
      seed,
      ...(guidance !== undefined && { guidance }),
      sampler: isNamed ? { use: name, ...options } : { levels: sampler.steps.map(({ values }) => values.sigma) },
      ...(file !== undefined && { prompts: await contentOf(file) }),
    },
    samples: (pace) => drawer.batches({ count, seed, pace, condition: prompts?.condition, empty: prompts?.empty }),
    close,
  };
}

/** Samples of files: the first `--n`, or all. */
export async function storedAt(
  { dataset: use, folder }: { readonly dataset: ImagesAt["dataset"]; readonly folder: DataFolder },
  given: Given,
  registry: Registry,
  backend: Backend,
  defaults?: Defaults,
): Promise<Judged> {
  const { use: name, ...options } = { ...(use.use === "pictures" && framingIn(given)), ...use };
  const container = new Container();
  container.value(BACKEND, backend, "the samples").value(DATA_FOLDER, folder, "the samples");
  const plugin = registry.get("dataset", name).configure(options);
  plugin.install(container);
  const dataset = await container.get(DATASET_SOURCE);
  const isCounted = given.on("n") || defaults !== undefined;
  const wanted = isCounted ? readNumbers("evaluate", numbersOf(defaults), given).n : dataset.size;
  if (!Number.isFinite(wanted)) throw failure("E_USAGE", `Cannot evaluate ${name}: it has no end`, { fix: "give --n" });
  if (wanted > dataset.size)
    throw failure("E_OPTION", `Cannot judge ${wanted} samples: there are ${dataset.size}`, {
      fix: "give a smaller --n",
    });
  return {
    shape: dataset.shape,
    count: wanted,
    nfe: 0,
    read: {
      ...changed(pixelOptions(plugin.options), registry.get("dataset", name).configure({}).options),
      ...decodingOf(plugin.options),
    },
    samples: (tell) => portionsOf(dataset, wanted, tell),
    close: () => container.dispose(),
  };
}

/** Settings of the reference that also bring the samples to its size and colours, where those are pictures in a folder. */
const FRAMING = ["size", "fit", "filter", "crop", "channels", "skipBad"];

function framingIn(given: Given): Readonly<Record<string, unknown>> {
  const set = given.all("set").map(readSetting).map(settingOverlay);
  const { dataset = {} } = set.reduce<{ dataset?: object }>(mergeConfig, {});
  return Object.fromEntries(Object.entries(dataset).filter(([name]) => FRAMING.includes(name)));
}

/** Options that say what is done with pictures, without those that say where they lie. */
export const pixelOptions = ({
  file: _,
  ...options
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({ ...options, ...decodingOf(options) });

/** How the files of a dataset of pictures become bytes. */
const decodingOf = (options: Readonly<Record<string, unknown>>) =>
  "fit" in options && { decoding: "as Pillow's convert: no colour profile, no EXIF orientation" };

/** Options that are not as they are by default. */
const changed = (options: Readonly<Record<string, unknown>>, initial: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(options).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(initial[name])),
  );
