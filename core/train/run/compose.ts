import { Container } from "../../di/mod.ts";
import { edmProcess } from "../../diffusion/mod.ts";
import { BACKEND, type Backend } from "../../interfaces/backend.ts";
import {
  DATA_FOLDER,
  DATA_SHAPE,
  DATASET,
  DATASET_SOURCE,
  type DataFolder,
  type DataShape,
} from "../../interfaces/dataset.ts";
import { LOSSES } from "../../interfaces/loss.ts";
import { PROCESS } from "../../interfaces/process.ts";
import type { ConfiguredPlugin } from "../../plugin/mod.ts";
import { keepingStorage } from "../update/precision.ts";

/**
 * A container with a run's plugins, its device and its loaded dataset; its losses have read their files. Options are already
 * checked; what can still fail is the data.
 */
export async function composeRun(
  plugins: readonly ConfiguredPlugin[],
  backend: Backend,
  folder: DataFolder,
): Promise<Container> {
  const container = new Container();
  container.value(BACKEND, backend, "the run").value(DATA_FOLDER, folder, "the run");
  for (const plugin of plugins) keepingStorage(plugin).install(container);
  const dataset = await container.get(DATASET_SOURCE);
  container.value(DATASET, dataset, "the run");
  provideShape(container, dataset.shape, "the run");
  for (const loss of container.all(LOSSES)) if (loss.weight !== 0) await loss.load?.();
  return container;
}

/** A container for sampling from stored weights: no data, only their shape. */
export function composeSampling(
  plugins: readonly ConfiguredPlugin[],
  backend: Backend,
  shape: DataShape,
): Container {
  const container = new Container();
  container.value(BACKEND, backend, "the run");
  const needed = new Set(["process", "network", "teacher", "generator", "sampler"]);
  for (const plugin of plugins) if (needed.has(plugin.kind)) plugin.install(container);
  provideShape(container, shape, "the weights file");
  return container;
}

/** Gives a container with plugins the shape of the data, and the process of EDM where none of them provides another. */
export function provideShape(container: Container, shape: DataShape, owner: string): void {
  container.value(DATA_SHAPE, shape, owner);
  if (!container.has(PROCESS)) container.value(PROCESS, edmProcess(shape.sigmaData), owner);
}
