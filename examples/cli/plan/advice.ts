/** Changes of a config that make a run fit: each is planned, as the run itself is. */
import { files } from "../../../backends/host/files.ts";
import { failure, OnestepError } from "../../../core/errors.ts";
import {
  type Backend,
  DATASET,
  DATASET_SOURCE,
  type DataShape,
  type Dataset,
  METHOD,
  type Stage,
} from "../../../core/interfaces/mod.ts";
import type { Registry } from "../../../core/plugin/mod.ts";
import { overlaid } from "../../../core/plugin/overlaid.ts";
import {
  composeRun,
  planRun,
  type ResolvedConfig,
  type RunConfig,
  type RunPlan,
  resolveConfig,
} from "../../../core/train/mod.ts";
import { layOver } from "../configFile.ts";
import { mebibytes } from "./report.ts";

/** Ways that are told. */
const TOLD = 3;
/** Channels of adapters, as in DMD2's runs. */
const RANK = 64;

/** A run that is too large, and what its changes are planned with. */
export interface AdviceRequest {
  /** Complete or not, with the settings of the command line over it. */
  readonly config: RunConfig;
  readonly registry: Registry;
  /** The data, or a stand-in that has their shape. */
  readonly dataset: Dataset;
  readonly device: Backend;
  /** Bytes that there are. */
  readonly capacity: number | undefined;
  /** The stages of its method. */
  readonly stages: readonly Stage[];
  /** What the run needs as it is, where it was possible to tell. */
  readonly plan?: RunPlan;
}

/** Data of which only the shape is known. */
export function dataOf(name: string, shape: DataShape): Dataset {
  const batch = () => {
    throw failure("E_DATA", `Cannot read ${name}: the run is planned by the shape of its data`);
  };
  return { name, shape, size: Number.POSITIVE_INFINITY, batch, empty: {} };
}

/** A config's plugins over these data, in place of its own. */
export function withDataset(resolved: ResolvedConfig, dataset: Dataset): ResolvedConfig {
  const plugins = resolved.plugins.map((plugin) =>
    plugin.kind === "dataset"
      ? {
          ...plugin,
          install: (container: Parameters<typeof plugin.install>[0]) =>
            // The container must not end what another one has opened.
            void container.provide(DATASET_SOURCE, async () => overlaid(dataset, { dispose: undefined }), plugin.name),
        }
      : plugin,
  );
  return { ...resolved, plugins };
}

/** A change, as texts of `--set`. */
type Change = readonly string[];

/**
 * The three cheapest ways to make a run fit, a line each with what it then needs and how much that is less: those first that leave
 * the numbers as they are, then those that change them. Of more parts and smaller batches the smallest change is told that is enough.
 */
export async function waysToFit(request: AdviceRequest): Promise<string[]> {
  const { config, registry, capacity = Number.POSITIVE_INFINITY, plan: asItIs, device, stages } = request;
  const { settings, config: whole } = resolveConfig(config, registry);
  const { batch, accumulate, checkpointing, drawBatch } = settings;
  const ways: string[] = [];
  const known = new Map<string, number | undefined>();
  const plan = async (change: Change): Promise<number | undefined> => {
    const key = change.join(" ");
    if (!known.has(key)) known.set(key, await planned(request, change));
    return known.get(key);
  };
  const tell = async (change: Change): Promise<boolean> => {
    if (change.length === 0 || ways.length === TOLD) return false;
    const found = await plan(change);
    if (found === undefined || found > capacity) return false;
    const less = asItIs === undefined ? "" : `, ${mebibytes(asItIs.peakBytes - found)} less`;
    ways.push(`${change.map((text) => `--set ${text}`).join(" ")} needs ${mebibytes(found)} MiB${less}`);
    return true;
  };
  /** The first of a row of ever larger changes that is enough; its last one tells whether any is. */
  const least = async (changes: readonly Change[]): Promise<boolean> => {
    const last = changes.at(-1);
    const found = last && ways.length < TOLD ? await plan(last) : undefined;
    if (!last || found === undefined || found > capacity) return false;
    let [low, high] = [0, changes.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      const bytes = (await plan(changes[middle])) ?? Number.POSITIVE_INFINITY;
      if (bytes <= capacity) high = middle;
      else low = middle + 1;
    }
    return tell(changes[high]);
  };

  const blocks = checkpointing === "blocks" ? [] : ["train.checkpointing=blocks"];
  const parts = doublings(accumulate * 2, batch).filter((n) => divides(n, batch, stages));
  const gathered = parts.map((n) => [`train.accumulate=${n}`]);
  const most = gathered.at(-1) ?? [];
  const draws = [50, 20, 10, 5, 1].filter((n) => n < (drawBatch ?? 100)).map((n) => [`train.drawBatch=${n}`]);
  const halved = halvings(batch, accumulate).map((size) => [
    `train.batch=${size}`,
    ...stages
      .filter((stage) => stage.batch !== batch && stage.batch > size)
      .map(({ name }) => `method.${name}.batch=${size}`),
  ]);
  const frozen = halfTeacher(whole, device) ? ["train.weights.teacher=f16"] : [];
  const adapters = adaptersFor(whole);
  const single = ["train.batch=1", "train.accumulate=1", "train.drawBatch=1"];

  // Where training needs more than there is, drawing less at a time is no way.
  const training = asItIs?.stages.filter(({ steps, bytes }) => steps > 0 && bytes > capacity) ?? [];
  if (training.length === 0) await least(draws);
  await tell(blocks);
  await least(gathered);
  if (blocks.length > 0) await least(gathered.map((change) => [...blocks, ...change]));
  await tell(frozen);
  await least(halved);
  if (blocks.length > 0) await least(halved.map((change) => [...blocks, ...change]));
  for (const change of adapters) await tell(change);
  const all = adapters.at(-1) ?? [];
  for (const change of [
    [...blocks, ...most, ...frozen],
    [...blocks, ...most, ...all],
    [...blocks, ...most, ...all, ...frozen],
    [...blocks, ...single, ...all, ...frozen],
  ])
    await tell(change);
  return ways;
}

/** first, 2 first, 4 first, … up to `end`. */
function doublings(first: number, end: number): number[] {
  const found: number[] = [];
  for (let n = first; n <= end; n *= 2) found.push(n);
  return found;
}

/** Whole halves of a batch that `parts` divide, in falling size. */
function halvings(batch: number, parts: number): number[] {
  const found: number[] = [];
  for (let size = batch / 2; Number.isInteger(size) && size % parts === 0; size /= 2) found.push(size);
  return found;
}

const divides = (n: number, batch: number, stages: readonly Stage[]): boolean =>
  batch % n === 0 && stages.every((stage) => stage.steps === 0 || stage.batch % n === 0);

/** Whether weights of the teacher can be kept in half of the memory: nothing moves them, and the device has such states. */
function halfTeacher(
  { teacher, optimizers, averages, train }: ResolvedConfig["config"],
  { keeps = [] }: Backend,
): boolean {
  const moved = [optimizers, averages].some((section) => section && (section as Record<string, unknown>).teacher);
  const { weights = {} } = (train ?? {}) as { weights?: Record<string, string> };
  return teacher !== undefined && !moved && weights.teacher === undefined && keeps.includes("f16");
}

/** Adapters in place of the generator's weights, then of the critic's too, where the roles have that option. */
function adaptersFor({ generator, critic }: ResolvedConfig["config"]): Change[] {
  const off = (section: unknown) => ((section ?? {}) as { lora?: { rank?: number } }).lora?.rank === 0;
  const one = off(generator) ? [`generator.lora.rank=${RANK}`] : [];
  const two = off(critic) ? [`critic.lora.rank=${RANK}`] : [];
  return [one, two.length > 0 ? [...one, ...two] : []].filter((change) => change.length > 0);
}

/** What a changed run needs at its peak; undefined where a tensor is too large for the device, or the change is none for this run. */
async function planned(
  { config, registry, dataset, device }: AdviceRequest,
  change: Change,
): Promise<number | undefined> {
  try {
    const resolved = withDataset(resolveConfig(layOver(config, change, {}), registry), dataset);
    const container = await composeRun(resolved, device, { files });
    try {
      return (await planRun(container, resolved.settings, device)).peakBytes;
    } finally {
      await container.dispose();
    }
  } catch (error) {
    if (error instanceof OnestepError && /^E_(DEVICE_LIMIT|OPTION|CONFIG|DATA)$/.test(error.code)) return undefined;
    throw error;
  }
}

/** The error of a run that does not fit, with what would. */
export async function advised(error: OnestepError, request: AdviceRequest): Promise<OnestepError> {
  const ways = await waysToFit(request);
  const fix = ways.length
    ? `what would fit:\n  ${ways.join("\n  ")}`
    : "use a smaller network or another device; neither repeated blocks, adapters nor a smaller batch is enough";
  // A limit that was given by hand says nothing of the device.
  const { capacityHint, capacity } = request.device;
  const hint = capacityHint && request.capacity === capacity ? `; or ${capacityHint}` : "";
  return failure("E_DEVICE_LIMIT", error.message, { fix: `${fix}${hint}`, cause: error });
}

/** A run that did not fit before it began, and where its data are. */
export interface RefusedRun extends Omit<AdviceRequest, "dataset" | "stages" | "plan"> {
  readonly path: string | undefined;
}

/** `advised` for a run whose data and stages went with it: they are opened again. Other errors come back as they are. */
export async function advisedRun(error: unknown, { path, ...request }: RefusedRun): Promise<unknown> {
  if (!(error instanceof OnestepError) || error.code !== "E_DEVICE_LIMIT") return error;
  const { config, registry, device } = request;
  const resolved = resolveConfig(config, registry);
  const container = await composeRun(resolved, device, { files, path });
  try {
    const plan = await planRun(container, resolved.settings, device).catch(() => undefined);
    const { stages } = container.get(METHOD);
    return await advised(error, { ...request, dataset: container.get(DATASET), stages, plan });
  } finally {
    await container.dispose();
  }
}
