import { files } from "../../backends/host/files.ts";
import { ownSampler } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { GENERATOR, SAMPLER, TEACHER } from "../../core/interfaces/mod.ts";
import { encodePng } from "../../core/io/png.ts";
import type { ConfiguredPlugin, Registry } from "../../core/plugin/mod.ts";
import { number, parseOptions, type Setting } from "../../core/plugin/mod.ts";
import {
  composeSampling,
  type Drawn,
  decodeWeights,
  Player,
  runFolder,
  SampleDrawer,
  type WeightsInfo,
} from "../../core/train/mod.ts";
import { samplePicture } from "../../plugins/observers/mod.ts";
import type { Command, Given } from "./command.ts";
import { describeBackend, deviceAbout, openBackend } from "./device.ts";
import { loadRegistry } from "./registry.ts";

const whole = (initial: number, min: number, about: string) =>
  number({ default: initial, min, max: 2 ** 31, integer: true, about });
/** Flags that are numbers. */
const numbers = {
  n: whole(100, 1, "samples"),
  seed: whole(0, 0, "every random draw follows from it"),
  label: whole(0, 0, "class"),
};

export const sample: Command = {
  name: "sample",
  about: "Draws samples from a run's weights into a PNG file.",
  operands: "<run folder|weights.safetensors>",
  arity: [1, 1],
  flags: {
    n: { type: "string", value: "N", about: "how many; default 100" },
    out: { type: "string", value: "FILE", about: "the picture; default samples.png" },
    seed: { type: "string", value: "N", about: "every random draw follows from it; default 0" },
    label: { type: "string", value: "C", about: "one class for all; default every class in turn" },
    role: {
      type: "string",
      value: "ROLE",
      about: "generator (default) or teacher, for a run folder",
    },
    steps: { type: "string", value: "N", about: "noise levels of the teacher's sampler" },
    sampler: {
      type: "string",
      value: "NAME",
      about: "another sampler than the weights were made for",
    },
    set: {
      type: "string",
      multiple: true,
      value: "NAME=VALUE",
      about: "an option of the sampler",
    },
    plugin: {
      type: "string",
      multiple: true,
      value: "FILE",
      about: "a plugin of your own, .ts or .js",
    },
    device: { type: "string", value: "NAME", about: deviceAbout },
    force: { type: "boolean", about: "replace the picture" },
  },
  examples: [
    "sample runs/digits --n 100 --out digits.png",
    "sample runs/digits --label 7 --seed 3 --out sevens.png",
    "sample runs/digits --role teacher --steps 18 --out teacher.png",
    "sample runs/digits/generator.safetensors --out digits.png --force",
  ],

  async run(given) {
    const { n, seed, label } = readNumbers(given);
    const out = given.text("out") ?? "samples.png";
    if (!given.on("force") && (await files.exists(out)))
      throw failure("E_FILE", `Cannot write ${out}: it is there already`, {
        fix: "replace it with --force, or choose another --out",
      });
    const file = await findWeights(given.positionals[0], given.text("role"));
    const { tensors, info } = decodeWeights(await files.read(file), file);
    const { classes } = info.data;
    if (given.on("label") && label >= classes)
      throw failure(
        "E_OPTION",
        `Cannot sample class ${label}: ${classes ? `classes are 0 to ${classes - 1}` : "the data has no classes"}`,
        { fix: classes ? "choose another --label" : "leave --label out" },
      );
    const plugins = configure(info, given, await loadRegistry(given.all("plugin")));
    const backend = await openBackend(given.text("device"));
    try {
      process.stderr.write(`device  ${describeBackend(backend)}\n`);
      const container = composeSampling(plugins, backend, info.data);
      const memory = backend.createMemory();
      const generator = info.role === "generator" ? container.get(GENERATOR) : undefined;
      const role = generator ?? container.get(TEACHER);
      const player = new Player(info.role, role, memory);
      player.load(tensors);
      const sampler =
        generator && !given.on("sampler") ? ownSampler(generator) : container.get(SAMPLER);
      const drawer = await SampleDrawer.create(
        backend,
        memory,
        player,
        sampler,
        info.data,
        Math.min(n, 100),
      );
      const labels = given.on("label") ? new Int32Array(n).fill(label) : undefined;
      const drawn = await drawer.draw({ count: n, seed, label: labels });
      await files.write(out, picture(drawn, info));
      process.stdout.write(`${out}: ${n} samples of the ${info.role}, NFE ${drawn.nfe}\n`);
      drawer.dispose();
      memory.dispose();
      await container.dispose();
      return 0;
    } finally {
      await backend.close();
    }
  },
};

function readNumbers(given: Given) {
  const read = Object.entries(numbers).flatMap(([flag, spec]) => {
    const text = given.text(flag);
    return text === undefined ? [] : [[flag, spec.fromText(text)]];
  });
  return parseOptions("sample", numbers, Object.fromEntries(read));
}

/** The weights file that a user means. */
async function findWeights(given: string, role?: string): Promise<string> {
  const all = ["generator", "teacher"] as const;
  const roles = all.filter((each) => role === undefined || each === role);
  if (roles.length === 0)
    throw failure("E_USAGE", `Cannot sample from "${role}": --role must be generator or teacher`);
  if (given.endsWith(".safetensors")) return given;
  const folder = runFolder(files, given);
  for (const each of roles)
    if (await files.exists(folder.weights(each))) return folder.weights(each);
  const found = (await folder.holdsRun())
    ? `the run has not written weights of the ${roles.join(" or the ")} yet`
    : "it is neither a run's folder nor a .safetensors file";
  throw failure("E_CHECKPOINT", `Cannot sample from ${given}: ${found}`, {
    fix: "finish the run with `onestep train --resume`, or give another folder or file",
  });
}

/** The plugins that the weights name, the sampler with what the command line says. */
function configure(info: WeightsInfo, given: Given, registry: Registry): ConfiguredPlugin[] {
  const { config, role } = info;
  const settings: Setting[] = given.all("set").map((text) => {
    const at = text.indexOf("=");
    if (at <= 0)
      throw failure("E_OPTION", `Cannot read --set ${text}: expected name=value, such as steps=18`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  const steps = given.text("steps");
  if (steps !== undefined) settings.push(["steps", steps]);
  if (role === "generator" && settings.length > 0 && !given.on("sampler"))
    throw failure(
      "E_OPTION",
      "Cannot change how the generator is sampled: its noise levels are those it was trained for",
      { fix: "leave --steps and --set out, or choose a sampler with --sampler" },
    );
  const kinds = ["network", "teacher", "generator"] as const;
  const plugins = kinds.flatMap((kind) => {
    const section = config[kind];
    if (!section) return [];
    const { use, ...options } = section;
    return [registry.get(kind, use).configure(options)];
  });
  const { use, ...options } = config.sampler;
  const name = given.text("sampler") ?? use;
  const sampler = registry.get("sampler", name).configure(name === use ? options : {}, settings);
  return [...plugins, sampler];
}

function picture({ x, shape, nfe }: Drawn, { role }: WeightsInfo): Uint8Array {
  const title = `${role}, NFE ${nfe}`;
  return encodePng(samplePicture([{ title, x }], shape.slice(1), shape[0]));
}
