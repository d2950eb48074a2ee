/** Weights that a run has stored: which file of a folder has them, the plugins that they name, and a drawer over them. */
import type { Container } from "../../core/di/mod.ts";
import { failure, some, suggestion } from "../../core/errors.ts";
import {
  type Backend,
  classesOf,
  type Denoiser,
  METHOD,
  type Memory,
  type Role,
  SAMPLER,
  type Sampler,
} from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/files.ts";
import {
  type ConfiguredPlugin,
  type Kind,
  kinds,
  pluginKinds,
  type Registry,
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
import { ofStored } from "./ofStored.ts";

/** Weights in memory, with what they say of themselves. */
export interface StoredWeights {
  readonly tensors: NamedTensors;
  readonly info: WeightsInfo;
}

/**
 * The weights file that a path means: itself, or that of the first of these roles which a run's folder has.
 * @throws E_CHECKPOINT where the folder has none of them
 */
export async function findWeights(files: FileSystem, given: string, roles: readonly string[]): Promise<string> {
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

/** The class that a text means: a name of the data's, else its place among them from 0. @throws OptionError */
export function labelOf(text: string, { data }: Pick<WeightsInfo, "data">): number {
  const classes = classesOf(data);
  const { names = [] } = data.condition.label ?? {};
  const refuse = (why: string, fix: string) => failure("E_OPTION", `Cannot sample class ${text}: ${why}`, { fix });
  if (classes === 0) throw refuse("the data has no classes", "leave the label out");
  const place = names.includes(text) ? names.indexOf(text) : /^\d+$/.test(text) ? Number(text) : -1;
  if (place >= 0 && place < classes) return place;
  const known = names.length > 0 ? `${some(names, 12)}, or 0 to ${classes - 1}` : `0 to ${classes - 1}`;
  throw refuse(`classes are ${known}${suggestion(text, names)}`, "choose another label");
}

/** A role whose weights are on a device, or can be put there, and how it is sampled. */
export interface PlacedRole {
  readonly player: Player<Denoiser>;
  readonly sampler: Sampler;
  readonly container: Container;
}

/**
 * The role of stored weights, with the sampler that the method has for it or the one that is given. Several over one memory share its
 * weights.
 * @throws E_CHECKPOINT for a role that draws no samples
 */
export function placeRole(
  backend: Backend,
  memory: Memory,
  plugins: readonly ConfiguredPlugin[],
  info: WeightsInfo,
  ownLevels: boolean,
): PlacedRole {
  const container = composeSampling(plugins, backend, info.data);
  const method = container.get(METHOD);
  const { roles, samplers, name } = method;
  if (!Object.hasOwn(samplers, info.role))
    throw failure(
      "E_CHECKPOINT",
      `Cannot sample from weights of the ${info.role}: the method ${name} draws samples from ${Object.keys(samplers).join(", ")}`,
      { fix: "give the weights of one of these roles" },
    );
  const player = new Player(info.role, roles[info.role] as Role<Denoiser>, memory);
  return { player, sampler: ownLevels ? samplerOf(method, info.role, info.stage) : container.get(SAMPLER), container };
}

/** A drawer over stored weights, with the sampler that the method has for their role or the one that is given. */
export async function openDrawer(
  backend: Backend,
  plugins: readonly ConfiguredPlugin[],
  { tensors, info }: StoredWeights,
  { count, ownLevels }: { count: number; ownLevels: boolean },
): Promise<{ drawer: SampleDrawer; sampler: Sampler; close: () => Promise<void> }> {
  const memory = backend.createMemory();
  const { player, sampler, container } = placeRole(backend, memory, plugins, info, ownLevels);
  player.load(tensors);
  const drawer = await SampleDrawer.create(backend, memory, player, sampler, info.data, batchOf(info, count));
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

/** How many of so many samples are computed at a time. */
export function batchOf({ data, config }: WeightsInfo, count: number): number {
  const { drawBatch: most } = (config.train ?? {}) as { drawBatch?: number };
  return drawBatch(data, count, most);
}

/** Refuses to change the noise levels of a generator, which it was trained for; another sampler has its own. @throws OptionError */
export function checkLevels({ role }: WeightsInfo, settings: readonly Setting[], sampler: string | undefined): void {
  if (role === "teacher" || settings.length === 0 || sampler !== undefined) return;
  throw failure("E_OPTION", `Cannot change how the ${role} is sampled: its noise levels are those it was trained for`, {
    fix: "leave the steps and settings out, or choose a sampler",
  });
}
