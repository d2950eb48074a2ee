/** Models of others as what a run begins with: `--model` of commands that train, and files that `start` names. */
import { files } from "../../backends/host/files.ts";
import type { DataShape } from "../../core/interfaces/mod.ts";
import type { Registry } from "../../core/plugin/mod.ts";
import type { OpenWeights, RunConfig } from "../../core/train/mod.ts";
import { openModel } from "../../plugins/pipelines/textToImage.ts";
import { weightsOpener } from "../engine/modelsOfOthers.ts";
import type { NamedConfig } from "./configFile.ts";

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

export const openWeights: OpenWeights = weightsOpener(files);
