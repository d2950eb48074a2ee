/** What commands that draw from a run's weights share: which file, which plugins, and a drawer over it. */
import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { files } from "../../backends/host/files.ts";
import { failure } from "../../core/errors.ts";
import { type Backend, type Denoiser, METHOD, type Role, SAMPLER, type Sampler } from "../../core/interfaces/mod.ts";
import {
  type ConfiguredPlugin,
  type Kind,
  kinds,
  type OptionSpecs,
  type OptionsOf,
  parseOptions,
  pluginKinds,
  type Registry,
  readSetting,
  type Setting,
} from "../../core/plugin/mod.ts";
// From their files and not from core/train/mod.ts, which would load all of training to draw a few samples.
import type { Use } from "../../core/train/config/config.ts";
import { runFolder } from "../../core/train/files/runFolder.ts";
import type { WeightsInfo } from "../../core/train/files/weightsFile.ts";
import { composeSampling } from "../../core/train/run/compose.ts";
import { samplerOf } from "../../core/train/sampling/evaluation.ts";
import { drawBatch, SampleDrawer } from "../../core/train/sampling/sampleDrawer.ts";
import { type NamedTensors, Player } from "../../core/train/update/player.ts";
import type { Given } from "./command.ts";
import { ofStored } from "./registry.ts";
import { statOf } from "./statOf.ts";

/** The flags of a command that are numbers, each by its option spec. @throws OptionError */
export function readNumbers<S extends OptionSpecs>(command: string, numbers: S, given: Given): OptionsOf<S> {
  const read = Object.entries(numbers).flatMap(([flag, spec]) => {
    const text = given.text(flag);
    return text === undefined ? [] : [[flag, spec.fromText(text)]];
  });
  return parseOptions(command, numbers, Object.fromEntries(read));
}

/**
 * Whether the file of the results can be written, asked before anything is drawn.
 * @throws E_FILE when it is a folder, its folder is not there or may not be written, or a file is in the way without --force
 */
export async function checkOutput(out: string, given: Given): Promise<void> {
  const refuse = (why: string, fix: string) => failure("E_FILE", `Cannot write ${out}: ${why}`, { fix });
  const folder = dirname(out);
  const found = statOf(out);
  if (found?.isDirectory())
    throw refuse("it is a folder, should be a file", `name a file in it: --out ${files.join(out, "NAME")}`);
  if (found && !found.isFile())
    throw refuse("it is a pipe, a socket or a device, should be a file", "choose another --out");
  if (!statOf(folder)?.isDirectory())
    throw refuse(`there is no folder ${folder}`, "make the folder, or choose another --out");
  if (found && !given.on("force"))
    throw refuse("it is there already", "replace it with --force, or choose another --out");
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw refuse(`the folder ${folder} may not be written`, "choose another --out, or change its permissions");
  }
}

/** The same for a picture. @throws E_USAGE where its name promises another form than PNG */
export async function checkPicture(out: string, given: Given): Promise<void> {
  const [ending] = /\.(jpe?g|webp|gif|bmp|tiff?|avif|npz?|safetensors)$/i.exec(out) ?? [];
  if (ending !== undefined)
    throw failure("E_USAGE", `Cannot write ${out}: pictures are PNG files, and its name ends in ${ending}`, {
      fix: `name a file that ends in .png: --out ${out.slice(0, -ending.length)}.png`,
    });
  await checkOutput(out, given);
}

/** The weights file that a user means: itself, or that of the first of these roles which a run's folder has. */
export async function findWeights(given: string, roles: readonly string[]): Promise<string> {
  if (given.endsWith(".safetensors")) return given;
  const folder = runFolder(files, given);
  for (const each of roles) if (await files.exists(folder.weights(each))) return folder.weights(each);
  const isRun = await folder.holdsRun();
  const whole = isRun ? await files.list(given) : [];
  const others = whole
    .filter((name) => name.endsWith(".safetensors"))
    .map((name) => name.slice(0, -".safetensors".length));
  if (others.length > 0)
    throw failure("E_CHECKPOINT", `Cannot sample from ${given}: it has no weights of the ${roles.join(" or the ")}`, {
      fix: `say whose samples to draw, with --role ${others.sort().join(" or --role ")}`,
    });
  const found = isRun
    ? `the run has not written weights of the ${roles.join(" or the ")} yet`
    : "it is neither a run's folder nor a .safetensors file";
  throw failure("E_CHECKPOINT", `Cannot sample from ${given}: ${found}`, {
    fix: "finish the run with `onestep train --resume`, or give another folder or file",
  });
}

/** `--set name=value` of a sampler, and `--steps` as one of them. @throws OptionError */
export function samplerSettings(given: Given): Setting[] {
  const settings = given.all("set").map(readSetting);
  const steps = given.text("steps");
  return steps === undefined ? settings : [...settings, ["steps", steps]];
}

/** The plugins that the weights name; the sampler is that one by name, with the options of the weights where it is theirs. */
export function storedPlugins(
  { config }: WeightsInfo,
  sampler: string,
  settings: readonly Setting[],
  registry: Registry,
): ConfiguredPlugin[] {
  const { sampler: stored, ...rest } = config;
  const sections: Readonly<Record<string, unknown>> = rest;
  const plugins = pluginKinds.flatMap((kind) => {
    const section = (kinds[kind] as Kind).draws && sections[kind];
    if (!section) return [];
    const { use, ...options } = section as Use;
    return [ofStored(() => registry.get(kind, use)).configure(options)];
  });
  const { use, ...options } = stored ?? { use: sampler };
  const own = sampler === use ? options : {};
  const get = () => registry.get("sampler", sampler);
  return [...plugins, (sampler === use ? ofStored(get) : get()).configure(own, settings)];
}

/** A drawer over stored weights, with the sampler that the method has for their role or the one that is given. */
export async function openDrawer(
  backend: Backend,
  plugins: readonly ConfiguredPlugin[],
  { tensors, info }: { tensors: NamedTensors; info: WeightsInfo },
  { count, ownLevels }: { count: number; ownLevels: boolean },
): Promise<{ drawer: SampleDrawer; sampler: Sampler; close: () => Promise<void> }> {
  const container = composeSampling(plugins, backend, info.data);
  const memory = backend.createMemory();
  const method = container.get(METHOD);
  const { roles, samplers, name } = method;
  if (!Object.hasOwn(samplers, info.role))
    throw failure(
      "E_CHECKPOINT",
      `Cannot sample from weights of the ${info.role}: the method ${name} draws samples from ${Object.keys(samplers).join(", ")}`,
      { fix: "give the weights of one of these roles" },
    );
  const player = new Player(info.role, roles[info.role] as Role<Denoiser>, memory);
  player.load(tensors);
  const sampler = ownLevels ? samplerOf(method, info.role, info.stage) : container.get(SAMPLER);
  const { drawBatch: most } = (info.config.train ?? {}) as { drawBatch?: number };
  const batch = drawBatch(info.data, count, most);
  const drawer = await SampleDrawer.create(backend, memory, player, sampler, info.data, batch);
  return {
    drawer,
    sampler,
    async close() {
      drawer.dispose();
      memory.dispose();
      await container.dispose();
    },
  };
}
