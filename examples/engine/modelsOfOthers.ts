import type { FileSystem } from "../../core/io/files.ts";
import { openSafetensors } from "../../core/io/safetensorsFile.ts";
import { OpenedWeights, type OpenWeights } from "../../core/train/files/startWeights.ts";
import { RUN_KEY } from "../../core/train/files/weightsFile.ts";
import { openModelParts } from "../../plugins/pipelines/shared/modelParts.ts";
import { openPipeline } from "../../plugins/pipelines/textToImage.ts";
import type { Around } from "./around.ts";
import { PictureModel } from "./pictureModel.ts";

/** Opens a model in files that makes pictures, such as Stable Diffusion. Throws as `openPipeline`. */
export async function openPictureModel(files: FileSystem, path: string, around: Around): Promise<PictureModel> {
  const { backend, registry, note } = around;
  return new PictureModel(around, await openPipeline(files, path, { backend, registry, note }));
}

/**
 * What `start` of a config may name besides weights of a role: the U-Net or transformer of a model's folder or file. Gives undefined for
 * weights of a network alone, as runs write them.
 */
export const weightsOpener =
  (files: FileSystem): OpenWeights =>
  async (path) => {
    const isFolder = await files.list(path).then(
      () => true,
      () => false,
    );
    if (!isFolder && path.endsWith(".safetensors")) {
      const { tensors, metadata } = await openSafetensors(files, path);
      const isWhole = Object.keys(tensors).some((name) => name.startsWith("model.diffusion_model."));
      if (RUN_KEY in metadata || !isWhole) return undefined;
    }
    const { parts } = await openModelParts(files, path);
    const network = parts.unet ?? parts.transformer;
    return network && new OpenedWeights(network.tensors, network.from);
  };
