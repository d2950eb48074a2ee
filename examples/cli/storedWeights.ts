/** What commands that draw from a run's weights share: which file, which plugins, and a drawer over it. */
import { files } from "../../backends/host/files.ts";
import { ownSampler } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { type Backend, GENERATOR, SAMPLER, TEACHER } from "../../core/interfaces/mod.ts";
import {
  type ConfiguredPlugin,
  type OptionSpecs,
  type OptionsOf,
  parseOptions,
  type Registry,
  type Setting,
} from "../../core/plugin/mod.ts";
import {
  composeSampling,
  drawBatch,
  type NamedTensors,
  Player,
  runFolder,
  SampleDrawer,
  type WeightsInfo,
} from "../../core/train/mod.ts";
import type { Given } from "./command.ts";

/** The flags of a command that are numbers, each by its option spec. @throws OptionError */
export function readNumbers<S extends OptionSpecs>(
  command: string,
  numbers: S,
  given: Given,
): OptionsOf<S> {
  const read = Object.entries(numbers).flatMap(([flag, spec]) => {
    const text = given.text(flag);
    return text === undefined ? [] : [[flag, spec.fromText(text)]];
  });
  return parseOptions(command, numbers, Object.fromEntries(read));
}

/** Throws E_FILE when a file is in the way and the user has not said --force. */
export async function refuseExisting(out: string, given: Given): Promise<void> {
  if (!given.on("force") && (await files.exists(out)))
    throw failure("E_FILE", `Cannot write ${out}: it is there already`, {
      fix: "replace it with --force, or choose another --out",
    });
}

/** The weights file that a user means: itself, or that of the first of these roles which a run's folder has. */
export async function findWeights(
  given: string,
  roles: readonly ("generator" | "teacher")[],
): Promise<string> {
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

/** `--set name=value` of a sampler, and `--steps` as one of them. @throws OptionError */
export function samplerSettings(given: Given): Setting[] {
  const settings: Setting[] = given.all("set").map((text) => {
    const at = text.indexOf("=");
    if (at <= 0)
      throw failure("E_OPTION", `Cannot read --set ${text}: expected name=value, such as steps=18`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
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
  const kinds = ["process", "network", "teacher", "generator"] as const;
  const plugins = kinds.flatMap((kind) => {
    const section = config[kind];
    if (!section) return [];
    const { use, ...options } = section;
    return [registry.get(kind, use).configure(options)];
  });
  const { use, ...options } = config.sampler;
  const own = sampler === use ? options : {};
  return [...plugins, registry.get("sampler", sampler).configure(own, settings)];
}

/** A drawer over stored weights. A generator takes its own noise levels, unless it is given another sampler. */
export async function openDrawer(
  backend: Backend,
  plugins: readonly ConfiguredPlugin[],
  { tensors, info }: { tensors: NamedTensors; info: WeightsInfo },
  { count, ownLevels }: { count: number; ownLevels: boolean },
): Promise<{ drawer: SampleDrawer; close: () => Promise<void> }> {
  const container = composeSampling(plugins, backend, info.data);
  const memory = backend.createMemory();
  const generator = info.role === "generator" ? container.get(GENERATOR) : undefined;
  const player = new Player(info.role, generator ?? container.get(TEACHER), memory);
  player.load(tensors);
  const sampler = generator && ownLevels ? ownSampler(generator) : container.get(SAMPLER);
  const batch = drawBatch(info.data, count);
  const drawer = await SampleDrawer.create(backend, memory, player, sampler, info.data, batch);
  return {
    drawer,
    async close() {
      drawer.dispose();
      memory.dispose();
      await container.dispose();
    },
  };
}
