import { Container } from "../../di/mod.ts";
import { edmProcess, placeholders } from "../../diffusion/mod.ts";
import { failure } from "../../errors.ts";
import { BACKEND, type Backend } from "../../interfaces/backend.ts";
import type { Condition } from "../../interfaces/condition.ts";
import {
  DATA_FOLDER,
  DATA_SHAPE,
  DATASET,
  DATASET_SOURCE,
  type DataFolder,
  type DataShape,
} from "../../interfaces/dataset.ts";
import { LOSSES } from "../../interfaces/loss.ts";
import { TRAIN_LENGTH, type TrainLength } from "../../interfaces/method.ts";
import { NETWORK, type Network } from "../../interfaces/network.ts";
import { OUTPUT_FOLDER, type OutputFolder } from "../../interfaces/output.ts";
import { PROCESS } from "../../interfaces/process.ts";
import { layoutOf } from "../../nn/parameters.ts";
import { type ConfiguredPlugin, type Kind, kinds } from "../../plugin/mod.ts";
import { checkNames } from "../config/checkPlugins.ts";
import type { ResolvedConfig } from "../config/config.ts";
import { keepingStorage } from "../update/precision.ts";

/**
 * A container with a run's plugins, its device and its loaded dataset; its losses have read their files. Options are already
 * checked; the data can still fail.
 * @throws E_CONFIG when the network does not read what the data describe
 */
export async function composeRun(
  { plugins, settings, config }: ResolvedConfig,
  backend: Backend,
  folder: DataFolder,
  output?: OutputFolder,
): Promise<Container> {
  const container = new Container();
  container.value(BACKEND, backend, "the run").value(DATA_FOLDER, folder, "the run");
  if (output) container.value(OUTPUT_FOLDER, { files: output.files, path: output.path }, "the run");
  for (const plugin of plugins) keepingStorage(plugin).install(container);
  const dataset = await container.get(DATASET_SOURCE);
  container.value(DATASET, dataset, "the run");
  const started = Object.keys(config.start ?? {});
  provideShape(container, dataset.shape, "the run", { ...settings, started });
  checkCondition(container.get(NETWORK), dataset.shape, config);
  checkNames(container, plugins);
  for (const loss of container.all(LOSSES)) if (loss.weight !== 0) await loss.load?.();
  return container;
}

/** A container for sampling from stored weights: no data, only their shape. */
export function composeSampling(plugins: readonly ConfiguredPlugin[], backend: Backend, shape: DataShape): Container {
  const container = new Container();
  container.value(BACKEND, backend, "the run");
  const drawing = plugins.filter(({ kind }) => (kinds[kind] as Kind).draws);
  for (const plugin of drawing) plugin.install(container);
  provideShape(container, shape, "the weights file");
  return container;
}

/** Gives a container with plugins the shape of the data, and the process of EDM where no plugin provides another. */
export function provideShape(
  container: Container,
  shape: DataShape,
  owner: string,
  length: TrainLength = { steps: 0, batch: 1, started: [] },
): void {
  container.value(DATA_SHAPE, shape, owner).value(TRAIN_LENGTH, length, owner);
  if (!container.has(PROCESS)) container.value(PROCESS, edmProcess(shape.sigmaData), owner);
}

/** Applies the network once, watching which entries of the condition it reads. */
function checkCondition(network: Network, shape: DataShape, config: ResolvedConfig["config"]): void {
  const read = new Set<string>();
  const { x, sigma, condition } = placeholders(shape);
  const watched = new Proxy(condition, {
    get(target, name) {
      if (typeof name === "string") read.add(name);
      return Reflect.get(target, name);
    },
  }) as Condition;
  layoutOf((scope) => void network.apply(scope, x, sigma, watched));
  const unread = Object.keys(shape.condition).filter((name) => !read.has(name));
  if (unread.length > 0)
    throw failure(
      "E_CONFIG",
      `Cannot train ${config.network.use} on ${config.dataset.use}: the data describe their samples by ${unread.join(", ")}, which the network does not read`,
      { fix: "use a network that reads it, or switch it off in the options of dataset" },
    );
}
