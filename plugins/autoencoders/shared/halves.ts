/** What autoencoders share: where their weights come from, one half at a time. */
import type { Resolver } from "../../../core/di/mod.ts";
import { failure } from "../../../core/errors.ts";
import { type Autoencoder, DATA_FOLDER, type ModelPart } from "../../../core/interfaces/mod.ts";
import { openTensors } from "../../../core/io/mod.ts";
import { frozenPart } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { number, text } from "../../../core/plugin/mod.ts";

/** Where the weights are, opened when they are asked for. */
export type AutoencoderWeights = () => Promise<ModelPart>;

export const weightsOption = text({
  default: "",
  about: "safetensors or PyTorch file of the autoencoder, with diffusers' names",
});

export const tileOption = number({
  default: 64,
  min: 8,
  integer: true,
  about: "latents on a side that are computed together; larger pictures in overlapping tiles of that size",
});

/** An autoencoder that reads the weights of either half when they are asked for. */
export function halvesOf({
  weights,
  ...autoencoder
}: Omit<Autoencoder, "load"> & { readonly weights: AutoencoderWeights }): Autoencoder {
  const { name, channels, factor, bind } = autoencoder;
  return {
    ...autoencoder,
    async load(half) {
      const part = await weights();
      return frozenPart(`${name} ${half}`, part, (scope) => {
        if (half === "encoder") bind(scope).encode(input("x", [1, channels.picture, factor, factor]));
        else bind(scope).decode(input("z", [1, channels.latent, 1, 1]));
      });
    },
  };
}

/** The tensors of the file that the option `weights` of a plugin names. */
export const weightsAt =
  (container: Resolver, plugin: string, path: string): AutoencoderWeights =>
  async () => {
    const { files } = container.get(DATA_FOLDER);
    if (path === "" || !files)
      throw failure(
        "E_OPTION",
        `Cannot load ${plugin}: ${files ? "weights is not given" : "the run has no files"}, expected a file of weights`,
        { fix: "set autoencoder.weights" },
      );
    return { from: path, tensors: await openTensors(files, path) };
  };
