import type { Command, Flag } from "./command.ts";

/** What stands for a run's config on a command line. */
export const CONFIG = "<preset|config.json|config.yaml>";

/** The flag that `openBackend` reads. */
export const deviceFlag: Flag = {
  type: "string",
  value: "NAME",
  about: "auto, webgpu, software, wasm, reference, or part of an adapter's name; default auto",
};

/** The other flag that `tuning` reads. */
export const threadsFlag: Flag = {
  type: "string",
  value: "N",
  about: "threads of the device wasm; default as many as there are cores, or as a container allows",
};

/** The flag that `tuning` reads. */
export const tuneFlag: Flag = {
  type: "string",
  value: "MODE",
  about:
    "GPU kernels where several do: as measured before (cached), measure what is new (measure), or always the same (off); default cached",
};

/** The flag whose files and packages `loadRegistry` takes. */
export const pluginFlag: Flag = {
  type: "string",
  multiple: true,
  value: "FILE",
  about: "a plugin of your own, .ts or .js, or the name of an installed package of plugins",
};

/** The flag that `layOver` takes. */
export const setFlag: Flag = {
  type: "string",
  multiple: true,
  value: "PATH=VALUE",
  about: "change one value of the config",
};

/** Where a config's dataset looks for its files. */
export const dataFlag: Flag = {
  type: "string",
  value: "DIR",
  about: "folder of the dataset's files",
};

/** Flags of every command that draws from stored weights: the sampler's options, plugins, the device. */
export const samplingFlags = {
  set: { type: "string", multiple: true, value: "NAME=VALUE", about: "an option of the sampler" },
  plugin: pluginFlag,
  device: deviceFlag,
  threads: threadsFlag,
} satisfies Command["flags"];

/** Flags of the commands that run rows and put them into a table. */
export const tableFlags = ({
  what,
  row,
  folder,
  budgets,
}: {
  readonly what: string;
  /** What a row is; the flag that chooses some is its plural. */
  readonly row: string;
  readonly folder: string;
  readonly budgets: string;
}) =>
  ({
    data: dataFlag,
    budget: { type: "string", value: "NAME", about: `${budgets}; default quick` },
    seeds: {
      type: "string",
      value: "N",
      about: "seeds 0 to N - 1, each with a teacher of its own; default by --budget",
    },
    n: { type: "string", value: "N", about: `samples that each ${row} is judged by; default by --budget` },
    pairs: { type: "string", value: "N", about: "pairs for a regression loss; default by --budget" },
    out: { type: "string", value: "DIR", about: `folder of all runs and of the table; default ${folder}` },
    set: { ...setFlag, about: `change one value in the config of every ${row}` },
    plugin: pluginFlag,
    device: deviceFlag,
    threads: threadsFlag,
    tune: tuneFlag,
    resume: {
      type: "boolean",
      about: `go on with the ${what} in --out; with more --seeds or --${row}s it gets these too`,
    },
    quiet: { type: "boolean", about: "no progress, only the result" },
  }) satisfies Command["flags"];

/** Flags of drawing with a model of others. */
export const modelFlags = {
  model: { type: "string", value: "PATH", about: "a model's folder or file, to draw pictures of texts with" },
  prompt: { type: "string", multiple: true, value: "TEXT", about: "what to draw; several take turns" },
  negative: { type: "string", value: "TEXT", about: "what guidance leads away from; default no text" },
  "negative-scale": {
    type: "string",
    value: "S",
    about: "how far from --negative, for a model that is told its guidance; default 1.5",
  },
  as: {
    type: "string",
    value: "NAME",
    about:
      "how a model of few steps is sampled: dmd2, lcm, tcd, lightning or turbo; default as its manifest or scheduler says",
  },
  guidance: {
    type: "string",
    value: "W",
    about: "factor of guidance, 1 is off; default as its makers say, for a run as generator.guidanceScale",
  },
  size: { type: "string", value: "WxH", about: "pixels; default what the model was made for" },
  lora: { type: "string", multiple: true, value: "FILE[:SCALE]", about: "add a LoRA to the model's weights" },
  unet: { type: "string", value: "PATH", about: "another U-Net in place of the model's, such as DMD2's" },
  vae: { type: "string", value: "PATH", about: "another autoencoder in place of the model's, such as TAESD" },
  vocabulary: { type: "string", value: "FILE", about: "merges.txt of the tokenizer, for a model in one file" },
  variant: { type: "string", value: "NAME", about: "files of a variant where they are there, such as fp16" },
  tile: {
    type: "string",
    value: "N",
    about: "latents on a side that are decoded together; larger pictures in tiles of that size",
  },
} satisfies Command["flags"];
