/** Models of others as what a run begins with: `--model` of commands that train, and files that `start` names. */
import { files } from "../../backends/host/files.ts";
import type { DataShape } from "../../core/interfaces/mod.ts";
import { openSafetensors } from "../../core/io/mod.ts";
import type { Registry } from "../../core/plugin/mod.ts";
import { OpenedWeights, type OpenWeights, type RunConfig } from "../../core/train/mod.ts";
import { openModelParts } from "../../plugins/pipelines/shared/modelParts.ts";
import { openModel } from "../../plugins/pipelines/textToImage.ts";
import type { NamedConfig } from "./configFile.ts";
import { statOf } from "./statOf.ts";

/** A config of a run that distils a model, and what it works on where no data say it. */
export interface ModelConfig extends NamedConfig {
  readonly shape?: DataShape;
}

/**
 * Lays a model over a config: its network, its noise process and how its makers sample it take the place of the config's, and the
 * teacher starts with its weights.
 * @throws as `openModel`
 */
export async function withModel(
  named: ModelConfig,
  path: string | undefined,
  registry: Registry,
  size?: { readonly width: number; readonly height: number },
): Promise<ModelConfig> {
  if (path === undefined) return named;
  const { model } = await openModel(files, path, { registry });
  const { network, process: noise, sampler } = model.config;
  const { dataset, start, ...rest } = named.config;
  // What guidance leads away from is in the data, or zeros.
  const isStored = model.emptyText !== undefined;
  const data = dataset.use === "latents" ? { unconditional: isStored ? "stored" : "zero" } : {};
  return {
    ...named,
    config: {
      ...rest,
      dataset: { ...dataset, ...data },
      network,
      process: noise,
      sampler,
      start: { ...start, teacher: path },
    } as RunConfig,
    shape: model.shape({ size: size ?? model.size, negative: isStored }),
  };
}

/** Key of a run's own weights, in the metadata of their file. */
const RUN_KEY = "onestep";

/** The U-Net or transformer of a model's folder or file; undefined for weights of a network alone, as runs write them. */
export const openWeights: OpenWeights = async (path) => {
  const isFolder = statOf(path)?.isDirectory() ?? false;
  if (!isFolder && path.endsWith(".safetensors")) {
    const { tensors, metadata } = await openSafetensors(files, path);
    const isWhole = Object.keys(tensors).some((name) => name.startsWith("model.diffusion_model."));
    if (RUN_KEY in metadata || !isWhole) return undefined;
  }
  const { parts } = await openModelParts(files, path);
  const network = parts.unet ?? parts.transformer;
  return network && new OpenedWeights(network.tensors, network.from);
};
