import type { DataShape } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/files.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import type { PlacedName } from "../../plugins/datasets/shared/placedPictures.ts";
import { ringMethods } from "../gaussians/methods/mod.ts";
import { digitMethods } from "../mnist/methods/mod.ts";

/** A config that `onestep train` knows by name. */
export interface Preset {
  readonly about: string;
  /** The method, of one of the presets that a ground has by method. */
  readonly method?: string;
  /** Loads its config, which a page of help does not need. */
  readonly config: () => Promise<RunConfig>;
  /** What its data are as a rule, for a plan that has none. */
  readonly shape?: () => Promise<DataShape>;
  /** The datasets whose files make something of the config. */
  readonly fits?: readonly string[];
  /** What the files of a data folder make of it, by the options of its dataset. */
  readonly fit?: (files: FileSystem, path: string, dataset: { readonly use: string }) => Promise<object>;
}

/** The method of presets without another one in their name. */
const USUAL = "dmd2";

/** A preset for each other method of a ground. */
const byMethod = (ground: string, methods: typeof ringMethods): Readonly<Record<string, Preset>> =>
  Object.fromEntries(
    Object.entries(methods)
      .filter(([method]) => method !== USUAL)
      .map(([method, load]) => [
        `${ground}-${method}`,
        { about: `${ground} by the method ${method}`, method, config: async () => (await load()).config },
      ]),
  );

/** By name; one line each. */
export const presets: Readonly<Record<string, Preset>> = {
  gaussians: {
    about: "eight Gaussians in the plane, an MLP; needs no data",
    config: async () => (await ringMethods[USUAL]()).config,
  },
  ...byMethod("gaussians", ringMethods),
  mnist: {
    about: "digits at 16 x 16 pixels by class, a U-Net; needs --data",
    config: async () => (await digitMethods[USUAL]()).config,
  },
  ...byMethod("mnist", digitMethods),
  "mnist-longer": {
    about: "the same for 14,000 steps with a stronger GAN, better than its teacher; needs --data",
    config: async () => (await import("../mnist/longer.ts")).longer,
  },
  "mnist-guided": {
    about: "the same with guidance as a slider, one generator for scales 1 to 4; needs --data",
    config: async () => (await import("../mnist/guided.ts")).guided,
  },
  "mnist-flow": {
    about: "the same by a rectified flow, a small DiT; needs --data",
    config: async () => (await import("../mnist/flow.ts")).flow,
  },
  pictures: {
    about: "pictures of your own (PNG, JPEG, WebP), in subfolders by class or without; needs --data",
    config: async () => (await import("../pictures/preset.ts")).preset,
    fits: ["pictures", "edm-zip", "webdataset", "coco"],
    async fit(files, path, { use, ...dataset }) {
      const { fitArchived, fitPictures } = await import("../pictures/fit.ts");
      const options = dataset as unknown as Parameters<typeof fitPictures>[2];
      return use === "pictures"
        ? fitPictures(files, path, options)
        : fitArchived(files, path, use as PlacedName, options);
    },
  },
  imagenet64: {
    about: "DMD2's ImageNet-64; --data, --teacher",
    config: async () => (await import("../presets/imagenet64.ts")).imagenet64,
  },
  "imagenet64-no-gan": {
    about: "its longer training, stage 1",
    config: async () => (await import("../presets/imagenet64.ts")).imagenet64NoGan,
  },
  "imagenet64-longer": {
    about: "stage 2, from weights of stage 1",
    config: async () => (await import("../presets/imagenet64.ts")).imagenet64Longer,
  },
  "sd15-stage1": {
    about: "SD 1.5 in one step; --data, --teacher",
    config: async () => (await import("../presets/sd15.ts")).sd15Stage1,
    shape: async () => (await import("../presets/sd15.ts")).sd15Shape,
  },
  "sd15-stage2": {
    about: "with the GAN, from weights of stage 1",
    config: async () => (await import("../presets/sd15.ts")).sd15Stage2,
    shape: async () => (await import("../presets/sd15.ts")).sd15Shape,
  },
  "sd15-lcm": {
    about: "SD 1.5 as a latent consistency model; --data, --teacher",
    config: async () => (await import("../presets/sd15.ts")).sd15Lcm,
    shape: async () => (await import("../presets/sd15.ts")).sd15Shape,
  },
  "sd15-instaflow": {
    about: "SD 1.5 as a rectified flow in one step; --data, --teacher",
    config: async () => (await import("../presets/sd15.ts")).sd15Instaflow,
    shape: async () => (await import("../presets/sd15.ts")).sd15Shape,
  },
  "sdxl-4step": {
    about: "SDXL in four steps; --data, --teacher",
    config: async () => (await import("../presets/sdxl.ts")).sdxl4Step,
    shape: async () => (await import("../presets/sdxl.ts")).sdxlShape,
  },
  "sdxl-4step-lora": {
    about: "the same with adapters of rank 64",
    config: async () => (await import("../presets/sdxl.ts")).sdxl4StepLora,
    shape: async () => (await import("../presets/sdxl.ts")).sdxlShape,
  },
  "sdxl-1step-warmup": {
    about: "what SDXL in one step starts from; --data, --teacher",
    config: async () => (await import("../presets/sdxl.ts")).sdxl1StepWarmup,
    shape: async () => (await import("../presets/sdxl.ts")).sdxlShape,
  },
  "sdxl-1step": {
    about: "SDXL in one step; --set start.generator too",
    config: async () => (await import("../presets/sdxl.ts")).sdxl1Step,
    shape: async () => (await import("../presets/sdxl.ts")).sdxlShape,
  },
  "sdxl-lcm-lora": {
    about: "SDXL as a latent consistency model, by adapters; --data, --teacher",
    config: async () => (await import("../presets/sdxl.ts")).sdxlLcmLora,
    shape: async () => (await import("../presets/sdxl.ts")).sdxlShape,
  },
  cifar10: {
    about: "FastGen's CIFAR-10; --data, --teacher",
    config: async () => (await import("../presets/cifar10.ts")).cifar10,
  },
};
