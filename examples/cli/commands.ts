import { pluginKinds } from "../../core/plugin/kinds.ts";
import { profiles } from "../../plugins/profiles/mod.ts";
import type { Command } from "./command.ts";
import { creatable } from "./create/kinds.ts";
import {
  CONFIG,
  dataFlag,
  deviceFlag,
  modelFlags,
  pluginFlag,
  samplingFlags,
  setFlag,
  tableFlags,
  threadsFlag,
  tuneFlag,
} from "./flags.ts";
import { rows } from "./help.ts";

/** Every command. This file stays light: what a command needs is loaded when it runs. */
export const commands: readonly Command[] = [
  {
    name: "train",
    about: "Trains a teacher and distils it; results go to a folder.",
    operands: CONFIG,
    arity: [0, 1],
    flags: {
      data: dataFlag,
      out: {
        type: "string",
        value: "DIR",
        about: "folder of the results; default runs/<name>, or runs/<name>-2 … where that holds a run",
      },
      steps: { type: "string", value: "N", about: "steps of the distillation" },
      "teacher-steps": { type: "string", value: "N", about: "updates of the teacher before it" },
      teacher: {
        type: "string",
        value: "FILE",
        about: "start with these weights of the teacher, which is not trained then",
      },
      model: {
        type: "string",
        value: "PATH",
        about: "distil this model: its network, noise process and sampler, and its weights as the teacher's",
      },
      seed: { type: "string", value: "N", about: "every random draw follows from it; default 0" },
      profile: {
        type: "string",
        value: "NAME",
        about: `set together what the sources do differently: ${Object.keys(profiles).join(", ")}`,
      },
      set: setFlag,
      plugin: pluginFlag,
      device: deviceFlag,
      threads: threadsFlag,
      tune: tuneFlag,
      ui: {
        type: "string",
        optional: /^\d+$/,
        value: "[PORT]",
        about:
          "a page that shows the run and steers it, on this machine alone; default port 7417, or another that is free",
      },
      resume: { type: "boolean", about: "go on with the run in --out, with its own config" },
      force: { type: "boolean", about: "replace the run in --out" },
      quiet: { type: "boolean", about: "no progress, only the result" },
    },
    examples: [
      "train gaussians",
      "train gaussians --seed 1 --set losses.gan-generator=off --out runs/no-gan",
      "train mnist --data data/mnist --out runs/digits",
      "train pictures --data pictures --out runs/mine",
      "train sdxl-4step-lora --model models/sdxl --data encoded --out runs/sdxl",
      "train gaussians --ui",
      "train --resume --out runs/digits",
      "train gaussians --profile dmd2-code --set losses.gan-generator.weight=0.03",
      "train gaussians --plugin ./examples/custom-loss/charbonnier.ts --set losses.charbonnier.weight=1",
    ],
    async more() {
      const { presets } = await import("./presets.ts");
      const all = Object.entries(presets);
      const lines = all.filter(([, { method }]) => !method).map(([name, { about }]) => [name, about] as const);
      const others = all.flatMap(([name, { method }]) =>
        method ? [{ ground: name.slice(0, -method.length), method }] : [],
      );
      const grounds = [...new Set(others.map(({ ground }) => ground))];
      const methods = grounds.flatMap((ground) => {
        const names = others.filter((each) => each.ground === ground).map(({ method }) => method);
        return Array.from(
          { length: Math.ceil(names.length / 6) },
          (_, i) => [i === 0 ? `${ground}METHOD` : "", names.slice(6 * i, 6 * i + 6).join(", ")] as const,
        );
      });
      return ["presets", ...rows(lines), "", "presets by other methods than DMD2", ...rows(methods)].join("\n");
    },
    load: () => import("./train.ts"),
  },
  {
    name: "ui",
    about: "Shows runs on a local page, side by side: curves, samples, health, settings. No account, no network.",
    operands: "<run folder> …",
    arity: [1, 24],
    flags: {
      port: {
        type: "string",
        value: "N",
        about: "of the page; default 7417, or where that is in use any that is free",
      },
    },
    examples: ["ui runs/gaussians", "ui runs/gaussians runs/gaussians-2 --port 8000", "ui runs"],
    more: () =>
      [
        "Runs may be going on, complete, stopped, failed or killed; a folder that holds several shows them all.",
        "The address has a token, without which nothing is told; on another machine, forward the port with `ssh -L`",
      ].join("\n"),
    load: () => import("./ui/command.ts"),
  },
  {
    name: "sample",
    about: "Draws samples from a run's weights, or pictures of texts with a model, into PNG files.",
    operands: "<run folder|weights.safetensors>, or --model",
    arity: [0, 1],
    flags: {
      n: { type: "string", value: "N", about: "how many; default 100 from a run, one for each prompt with a model" },
      out: {
        type: "string",
        value: "FILE",
        about: "the picture; default samples.png. With a model, a folder gets a picture for each sample",
      },
      seed: { type: "string", value: "N", about: "every random draw follows from it; default 0" },
      label: {
        type: "string",
        value: "C",
        about: "one class for all, by name or number from 0; default every class in turn",
      },
      prompts: {
        type: "string",
        value: "FILE",
        about: "embedded texts, for models that are told one; a shard of their data will do",
      },
      role: {
        type: "string",
        value: "ROLE",
        about: "generator (default), teacher or another role, for a run folder",
      },
      ...modelFlags,
      steps: { type: "string", value: "N", about: "noise levels of the teacher's sampler, network calls of a model" },
      sampler: {
        type: "string",
        value: "NAME",
        about: "another sampler than the weights were made for",
      },
      ...samplingFlags,
      force: { type: "boolean", about: "replace the picture" },
    },
    examples: [
      "sample runs/digits --n 100 --out digits.png",
      "sample runs/digits --label 7 --seed 3 --out sevens.png",
      "sample runs/digits --role teacher --steps 18 --out teacher.png",
      "sample runs/digits/generator.safetensors --out digits.png --force",
      'sample --model stable-diffusion-v1-5 --prompt "a lighthouse at dawn" --steps 25 --out lighthouse.png',
      'sample --model sdxl-base --unet dmd2_sdxl_4step_unet_fp16.bin --as dmd2 --prompt "a lighthouse" --n 4',
    ],
    load: () => import("./sample/command.ts"),
  },
  {
    name: "evaluate",
    about: "Judges samples of a run, or images in files, against a reference, and says how.",
    operands: "<run folder|weights.safetensors|folder of pictures|images.npz>",
    arity: [1, 1],
    flags: {
      reference: {
        type: "string",
        value: "PATH",
        about: "folder of pictures, .npz of images or of published statistics, or a dataset's name with --data",
      },
      metric: { type: "string", value: "NAMES", about: "metrics, joined by commas" },
      protocol: {
        type: "string",
        lists: true,
        value: "NAME",
        about: "metrics, counts, sizes and rounding of a table of the paper; without a name, lists them",
      },
      n: { type: "string", value: "N", about: "how many samples; default 10000, or all that files hold" },
      seed: { type: "string", value: "N", about: "every random draw follows from it; default 0" },
      role: { type: "string", value: "ROLE", about: "generator (default), teacher or another role, for a run folder" },
      steps: { type: "string", value: "N", about: "noise levels of the teacher's sampler" },
      sampler: { type: "string", value: "NAME", about: "another sampler than the weights were made for" },
      prompts: { type: "string", value: "FILE", about: "embedded texts, in turn, for models that are told one" },
      guidance: { type: "string", value: "W", about: "scale that a generator is told, or that guides a teacher" },
      data: dataFlag,
      out: {
        type: "string",
        value: "FILE",
        about: "write numbers and protocol as JSON, for `compare`, and a page with pictures beside it",
      },
      set: setFlag,
      plugin: pluginFlag,
      device: deviceFlag,
      threads: threadsFlag,
      force: { type: "boolean", about: "replace the files" },
    },
    examples: [
      "evaluate runs/digits --reference mnist --data data/mnist --metric classifier-frechet",
      "evaluate samples.npz --reference imagenet-64x64.npz --metric fid --set extractors.inception.weights=FILE",
      "evaluate runs/imagenet --protocol imagenet64-dmd2 --reference imagenet-64x64.npz --set extractors.inception.weights=FILE --out table1.json",
      "evaluate pictures --reference data/pictures --metric kid,precision-recall --set extractors.inception.weights=FILE",
    ],
    async more() {
      const { protocols } = await import("./evaluate/protocols.ts");
      return ["protocols", ...rows(Object.entries(protocols).map(([name, { about }]) => [name, about]))].join("\n");
    },
    load: () => import("./evaluate/command.ts"),
  },
  {
    name: "compare",
    about: "Puts two evaluations side by side, if they were made in the same way.",
    operands: "<a.json> <b.json>",
    arity: [2, 2],
    flags: {
      anyway: { type: "boolean", about: "also where their protocols differ" },
    },
    examples: ["compare teacher.json generator.json"],
    load: () => import("./evaluate/compare.ts"),
  },
  {
    name: "ablate",
    about: "Runs the rows of a table of the paper, judges all alike, and writes the table beside the paper's numbers.",
    operands: "<table>",
    arity: [0, 1],
    flags: {
      dataset: { type: "string", value: "NAME", about: "what it is run on; default gaussians" },
      rows: { type: "string", value: "NAMES", about: "only these rows, joined by commas" },
      ...tableFlags({
        what: "ablation",
        row: "row",
        folder: "runs/<table>-<dataset>",
        budgets: "quick: as the preset, one seed; full: longer, several seeds",
      }),
    },
    examples: [
      "ablate table3",
      "ablate table3 --dataset mnist --data data/mnist --budget quick",
      "ablate table4 --rows dmd2,no-simulation --seeds 3 --out runs/simulation",
      "ablate --resume --out runs/table3-mnist",
    ],
    async more() {
      const { tables } = await import("../ablations/tables.ts");
      return Object.entries(tables)
        .flatMap(([name, { about, base, rows: each }]) => [
          `${name}  ${about}; on ${Object.keys(base).join(", ")}`,
          ...rows(Object.entries(each).map(([row, spec]) => [row, spec.name] as const)),
        ])
        .join("\n");
    },
    load: () => import("./ablate/command.ts"),
  },
  {
    name: "arena",
    about: "Trains a generator by each method from one teacher, judges all alike, and puts them into one table.",
    operands: "",
    arity: [0, 0],
    flags: {
      dataset: { type: "string", value: "NAME", about: "gaussians (default) or mnist, which needs --data" },
      methods: { type: "string", value: "NAMES", about: "only these methods, joined by commas; default all" },
      ...tableFlags({
        what: "arena",
        row: "method",
        folder: "runs/arena-<dataset>",
        budgets: "quick: one seed; full: three, judged by more samples",
      }),
    },
    examples: [
      "arena --methods dmd2,consistency",
      "arena --dataset mnist --data data/mnist --out runs/arena-mnist",
      "arena --resume --seeds 3 --out runs/arena-mnist",
    ],
    async more() {
      const { arenas } = await import("../arena/arenas.ts");
      const lines = Object.entries(arenas).map(
        ([dataset, { table }]) => [dataset, Object.keys(table.rows).join(", ")] as const,
      );
      return ["methods", ...rows(lines)].join("\n");
    },
    load: () => import("./arena/command.ts"),
  },
  {
    name: "inspect",
    about: "Says what a file or folder holds, and which command takes it; nothing in it is run.",
    operands: "<weights|archive|picture|folder>",
    arity: [1, 1],
    flags: {
      all: { type: "boolean", about: "list every tensor or file" },
    },
    examples: ["inspect runs/digits", "inspect pytorch_model.bin --all"],
    load: () => import("./inspect.ts"),
  },
  {
    name: "export",
    about: "Writes a generator, or a model's other weights, for other programs.",
    operands: "<run folder|weights> <out>",
    arity: [2, 2],
    flags: {
      to: {
        type: "string",
        value: "FORM",
        about: "diffusers (a folder), single (one file with the original names) or lora (a generator's adapters)",
      },
      base: {
        type: "string",
        value: "MODEL",
        about: "the model that it was trained from, as folder or file: its other parts are written too",
      },
      dtype: { type: "string", value: "TYPE", about: "f16, bf16 or f32; as they are without it" },
      "lora-keys": { type: "string", value: "WHOSE", about: "kohya (default) or peft, which diffusers reads" },
      role: { type: "string", value: "ROLE", about: "generator (default), teacher or another role, for a run folder" },
      verify: { type: "boolean", about: "draw samples from both with the same noise, and print the difference" },
      plugin: pluginFlag,
      device: deviceFlag,
      threads: threadsFlag,
      tune: tuneFlag,
      force: { type: "boolean", about: "replace what is there" },
    },
    examples: [
      "export runs/sd15 sd15-onestep --to diffusers --base stable-diffusion-v1-5 --dtype f16 --verify",
      "export runs/sdxl sdxl-4step.safetensors --to single --base sd_xl_base_1.0.safetensors --dtype f16",
      "export runs/sdxl-lora sdxl-4step-lora.safetensors --to lora --lora-keys kohya --dtype f16",
    ],
    load: () => import("./models/export.ts"),
  },
  {
    name: "convert",
    about: "Writes weights in another form: PyTorch, shards, a single file or a folder to safetensors or a folder.",
    operands: "<weights|folder> <out.safetensors|folder>",
    arity: [2, 2],
    flags: {
      dtype: { type: "string", value: "TYPE", about: "f16, bf16 or f32; as they are without it" },
      names: {
        type: "string",
        value: "WHOSE",
        about:
          "names in a file: diffusers (default for one network), original (for a whole model), or kept as they are",
      },
      part: { type: "string", value: "NAME", about: "one part of a model alone, such as unet or vae" },
      network: {
        type: "string",
        value: "NAME",
        about: "which network of DMD2's guidance file: real_unet (default) or fake_unet",
      },
      variant: { type: "string", value: "NAME", about: "files of a folder to prefer, such as fp16" },
      lora: { type: "string", multiple: true, value: "FILE[:SCALE]", about: "a LoRA to put into the weights" },
      force: { type: "boolean", about: "replace what is there" },
    },
    examples: [
      "convert dmd2_sdxl_4step_unet_fp16.bin dmd2-unet.safetensors",
      "convert v1-5-pruned-emaonly.safetensors stable-diffusion-v1-5 --dtype f16",
      "convert edm-imagenet-64x64-cond-adm.pkl imagenet64.safetensors",
      "convert stable-diffusion-xl-base-1.0 merged.safetensors --lora dmd2_sdxl_4step_lora_fp16.safetensors:1",
    ],
    load: () => import("./models/convert.ts"),
  },
  {
    name: "pairs",
    about: "Draws pairs of noise and the teacher's sample into a file, for losses on pairs.",
    operands: "<run folder|teacher weights.safetensors>",
    arity: [1, 1],
    flags: {
      n: { type: "string", value: "N", about: "how many; default 10000" },
      out: { type: "string", value: "FILE", about: "the file; default pairs.safetensors" },
      levels: {
        type: "string",
        value: "LIST",
        about: "also keep the states of the path nearest to these noise levels, such as 5,0.8",
      },
      seed: { type: "string", value: "N", about: "every random draw follows from it; default 0" },
      steps: { type: "string", value: "N", about: "noise levels of the sampler" },
      sampler: { type: "string", value: "NAME", about: "a deterministic sampler; default heun" },
      ...samplingFlags,
      force: { type: "boolean", about: "replace the file" },
    },
    examples: [
      "pairs runs/digits --n 25000 --steps 256 --out digits-pairs.safetensors",
      "pairs runs/gaussians/teacher.safetensors --seed 1 --force",
    ],
    more: () => "train on them with --set losses.regression.pairs=FILE; they belong to the teacher that drew them",
    load: () => import("./pairs.ts"),
  },
  {
    name: "data",
    about: "Encodes pictures with captions, or texts alone, into shards for distilling models of latents.",
    operands: "encode [pictures]",
    arity: [1, 2],
    flags: {
      model: { type: "string", value: "PATH", about: "folder or file of the model whose encoders are used" },
      out: { type: "string", value: "DIR", about: "folder of the shards; the same command goes on where it was ended" },
      prompts: { type: "string", value: "FILE", about: "texts alone, one on each line, for methods without a GAN" },
      size: { type: "string", value: "WxH", about: "pixels of the pictures; default what the model was made for" },
      "time-ids": {
        type: "string",
        value: "WHICH",
        about: "sizes that SDXL is told: of each `picture` and its crop (default), or of a `whole` one, as in DMD2",
      },
      seed: { type: "string", value: "N", about: "every draw of a latent follows from it; default 0" },
      shard: { type: "string", value: "MIB", about: "size of a shard at most; default 128" },
      "skip-bad": { type: "boolean", about: "leave out pictures that are damaged or have no caption" },
      vae: modelFlags.vae,
      vocabulary: modelFlags.vocabulary,
      variant: modelFlags.variant,
      plugin: pluginFlag,
      device: deviceFlag,
      threads: threadsFlag,
    },
    examples: [
      "data encode pictures --model models/sd15 --out encoded",
      "data encode coco/val2014 --model models/sdxl --time-ids whole --out encoded",
      "data encode --prompts prompts.txt --model models/sd15 --out texts",
    ],
    more: () =>
      [
        "pictures: a folder with a text beside each (cat.jpg, cat.txt), COCO's folder with captions….json, or WebDataset's .tar files.",
        "train on the shards with `onestep train sd15-stage2 --model PATH --data DIR`",
      ].join("\n"),
    load: () => import("./data/command.ts"),
  },
  {
    name: "replay",
    about: "Runs one step of a run again, and shows what came of it and where it went wrong.",
    operands: "<run folder>",
    arity: [1, 1],
    flags: {
      step: { type: "string", value: "N", about: "the step, counted from 0 in its stage" },
      stage: { type: "string", value: "NAME", about: "whose step; default the last stage" },
      out: { type: "string", value: "FILE", about: "a safetensors file for all values of the step" },
      only: { type: "string", value: "PATTERN", about: "values whose path matches, such as gan-generator/" },
      data: dataFlag,
      plugin: pluginFlag,
      device: deviceFlag,
      threads: threadsFlag,
      force: { type: "boolean", about: "replace the file" },
    },
    examples: [
      "replay runs/digits --step 1200",
      "replay runs/digits --step 1200 --out step.safetensors --only generator/",
    ],
    more: () =>
      [
        "it goes on from the nearest checkpoint before the step: --set train.keep=N of the run decides how far back it reaches.",
        "A run that is complete keeps the checkpoint of its end alone, so no step of it can be reached: look while it goes on, or stop it",
      ].join("\n"),
    load: () => import("./replay.ts"),
  },
  {
    name: "plan",
    about: "Says what a run needs of a device, and whether it fits, without running it.",
    operands: CONFIG,
    arity: [1, 1],
    flags: {
      model: { type: "string", value: "PATH", about: "the model that is distilled, as for train" },
      data: dataFlag,
      set: setFlag,
      plugin: pluginFlag,
      device: deviceFlag,
      threads: threadsFlag,
      memory: {
        type: "string",
        value: "SIZE",
        about: "what all tensors may take together, such as 6GiB; WebGPU does not tell",
      },
      ranks: {
        type: "string",
        value: "N",
        about: "say how long a step takes with up to N processes; started by mpirun, their network is measured",
      },
      link: { type: "string", value: "SPEED", about: "of the network between them, such as 100gbit; default 25gbit" },
      rate: { type: "string", value: "GFLOPS", about: "what the device of each does, where it is not this one" },
      time: {
        type: "boolean",
        about: "run a few steps of each stage too, and say how long all will take; needs --data",
      },
    },
    examples: [
      "plan gaussians",
      "plan mnist --data data/mnist --time",
      "plan sdxl-4step --memory 80GiB",
      "plan sd15-stage1 --ranks 64 --link 100gbit --rate 40000",
      "plan mnist --data data/mnist --set train.batch=256 --memory 512MiB",
      "plan mnist --data data/mnist --set train.checkpointing=blocks --device webgpu",
    ],
    load: () => import("./plan/command.ts"),
  },
  {
    name: "bench",
    about: "Times the updates of a run on this device; with --profile, each kernel.",
    operands: CONFIG,
    arity: [1, 1],
    flags: {
      data: dataFlag,
      set: setFlag,
      plugin: pluginFlag,
      device: deviceFlag,
      threads: threadsFlag,
      tune: tuneFlag,
      rounds: {
        type: "string",
        value: "N",
        about: "cycles of the method's last stage; default 3",
      },
      profile: { type: "boolean", about: "time each kernel, beside what the device does at best" },
    },
    examples: ["bench gaussians", "bench mnist --data data/mnist --profile --device wasm"],
    load: () => import("./bench.ts"),
  },
  {
    name: "conformance",
    about: "Runs reference cases of the official implementations and compares, term by term.",
    operands: "DIR",
    arity: [1, 1],
    flags: {
      only: { type: "string", value: "PATTERN", about: "cases whose name matches, such as edm_" },
      device: deviceFlag,
      threads: threadsFlag,
    },
    examples: ["conformance test/golden", 'conformance DIR --only "^dmd_" --device reference'],
    load: () => import("../../test/conformance/command.ts"),
  },
  {
    name: "selftest",
    about: "Runs every operation, forward and backward, on a device and compares with the float64 oracle.",
    operands: "",
    arity: [0, 0],
    flags: {
      only: { type: "string", value: "PATTERN", about: "operations whose name matches, such as conv" },
      seconds: { type: "string", value: "N", about: "time after which the rest is left out, a failure; default 300" },
      device: deviceFlag,
      threads: threadsFlag,
    },
    examples: ["selftest", "selftest --device webgpu", "selftest --only conv2d --device wasm"],
    load: () => import("../../test/selftest/command.ts"),
  },
  {
    name: "doctor",
    about: "Examines this machine and its devices; given a run's folder, tells what happened in the run.",
    operands: "[run folder]",
    arity: [0, 1],
    flags: {
      plugin: pluginFlag,
      report: {
        type: "string",
        value: "FILE",
        about: "write it into a file to attach to a bug report, without names of people, machines and files of yours",
      },
    },
    examples: ["doctor", "doctor runs/digits", "doctor --report report.md", "doctor runs/digits --report report.md"],
    load: () => import("./doctor.ts"),
  },
  {
    name: "create-plugin",
    about: "Writes a plugin of your own and its test, two files to change; never over one that is there.",
    operands: `<${creatable.join("|")}> <name>`,
    arity: [2, 2],
    flags: { out: { type: "string", value: "DIR", about: "folder of the files; default the current one" } },
    examples: ["create-plugin loss my-loss", "create-plugin sampler my-sampler --out plugins-of-mine"],
    load: () => import("./create/command.ts"),
  },
  {
    name: "plugins",
    about: "Lists the plugins with their options, defaults and ranges.",
    operands: "[kind]",
    arity: [0, 1],
    flags: {
      plugin: pluginFlag,
      json: { type: "boolean", about: "print JSON Schema of a config with all of them, for completion in editors" },
    },
    examples: [
      "plugins",
      "plugins loss",
      "plugins --json",
      "plugins loss --plugin ./examples/custom-loss/charbonnier.ts",
    ],
    more: () => `kinds\n  ${pluginKinds.join(", ")}`,
    load: () => import("./plugins.ts"),
  },
];
