import type { FileSystem } from "../../core/io/files.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import type { PlacedName } from "../../plugins/datasets/shared/placedPictures.ts";
import { consistencyPreset, preset as gaussians, progressivePreset } from "../gaussians/preset.ts";
import { preset as mnist, longer as mnistLonger } from "../mnist/preset.ts";
import { preset as pictures } from "../pictures/preset.ts";
import { cifar10 } from "../presets/cifar10.ts";
import { imagenet64, imagenet64Longer, imagenet64NoGan } from "../presets/imagenet64.ts";
import { sd15Stage1, sd15Stage2 } from "../presets/sd15.ts";
import { sdxl1Step, sdxl4Step, sdxl4StepLora } from "../presets/sdxl.ts";

/** A config that `onestep train` knows by name. */
export interface Preset {
  readonly about: string;
  readonly config: RunConfig;
  /** The datasets whose files make something of the config. */
  readonly fits?: readonly string[];
  /** What the files of a data folder make of it, by the options of its dataset. */
  readonly fit?: (files: FileSystem, path: string, dataset: { readonly use: string }) => Promise<object>;
}

/** By name; one line each. */
export const presets: Readonly<Record<string, Preset>> = {
  gaussians: { about: "eight Gaussians in the plane, an MLP; needs no data", config: gaussians },
  "gaussians-consistency": {
    about: "the same by consistency distillation",
    config: consistencyPreset,
  },
  "gaussians-progressive": {
    about: "the same by progressive distillation",
    config: progressivePreset,
  },
  mnist: { about: "digits at 16 x 16 pixels by class, a U-Net; needs --data", config: mnist },
  "mnist-longer": { about: "the same for 7,000 steps with a stronger GAN; needs --data", config: mnistLonger },
  pictures: {
    about: "pictures of your own (PNG, JPEG, WebP), in subfolders by class or without; needs --data",
    config: pictures,
    fits: ["pictures", "edm-zip", "webdataset", "coco"],
    async fit(files, path, { use, ...dataset }) {
      const { fitArchived, fitPictures } = await import("../pictures/fit.ts");
      const options = dataset as unknown as Parameters<typeof fitPictures>[2];
      return use === "pictures"
        ? fitPictures(files, path, options)
        : fitArchived(files, path, use as PlacedName, options);
    },
  },
  imagenet64: { about: "DMD2's ImageNet-64; --data, --teacher", config: imagenet64 },
  "imagenet64-no-gan": { about: "its longer training, stage 1", config: imagenet64NoGan },
  "imagenet64-longer": { about: "stage 2, from weights of stage 1", config: imagenet64Longer },
  "sd15-stage1": { about: "SD 1.5 in one step; --data, --teacher", config: sd15Stage1 },
  "sd15-stage2": { about: "with the GAN, from weights of stage 1", config: sd15Stage2 },
  "sdxl-4step": { about: "SDXL in four steps; --data, --teacher", config: sdxl4Step },
  "sdxl-4step-lora": { about: "the same with adapters of rank 64", config: sdxl4StepLora },
  "sdxl-1step": { about: "SDXL in one step; --set start.generator too", config: sdxl1Step },
  cifar10: { about: "FastGen's CIFAR-10; --data, --teacher", config: cifar10 },
};
