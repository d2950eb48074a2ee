/** Weights from a user's files that a run starts with. Only weights: optimisers, averages and steps begin at zero. */
import { failure, suggestion } from "../../errors.ts";
import type { FileSystem } from "../../io/files.ts";
import { type StoredTensor, toFloat32 } from "../../io/safetensors.ts";
import { openSafetensors } from "../../io/safetensorsFile.ts";
import { initialise, misfit, mismatches, type ParameterLayout, unpackArenas } from "../../nn/parameters.ts";
import { misfits, type WeightSources } from "../../nn/weightSource.ts";
import { SettingText, saysNothing, show } from "../../plugin/spec.ts";
import { inheritedBy, type NamedTensors, type Player, type PlayerBase } from "../update/player.ts";
import type { Players } from "../update/turnContext.ts";
import { type BaseInfo, hashOf, withBase } from "./baseWeights.ts";
import { baseIn } from "./weightsFile.ts";

/** Files of weights by role, the `start` section of a config. null: the run needs one that the user has yet to name. */
export type StartFiles = Readonly<Record<string, string | null>>;

/** Weights that are read, one tensor at a time, when their role joins. */
export class OpenedWeights {
  readonly sources: WeightSources;
  /** Where they are, for messages. */
  readonly from: string;
  constructor(sources: WeightSources, from: string) {
    this.sources = sources;
    this.from = from;
  }
}

/** Opens weights in a form that is no safetensors file of a role, such as a model's folder; undefined for such a file. */
export type OpenWeights = (path: string) => Promise<OpenedWeights | undefined>;

/** Weights of the roles that start from a file. */
export type StartWeights = Readonly<Record<string, NamedTensors | OpenedWeights>>;

/** EDM's wrapper of a network, whose name some state dicts have before every key and others leave out. */
const WRAPPER = "model.";
const floating: readonly string[] = [
  "F64",
  "F32",
  "F16",
  "BF16",
  "F8_E4M3",
  "F8_E5M2",
] satisfies StoredTensor["dtype"][];

/** The `start` section, complete; `false` (as a setting `off`) leaves a role out. @throws OptionError */
export function readStartFiles(given: Readonly<Record<string, unknown>>): StartFiles {
  const files: Record<string, string | null> = {};
  for (const [role, value] of Object.entries(given)) {
    const file = value instanceof SettingText ? value.text : value;
    if (value === false || (value instanceof SettingText && saysNothing(value.text))) continue;
    if (file !== null && (typeof file !== "string" || file === ""))
      throw failure(
        "E_OPTION",
        `Cannot configure start: ${role} is ${show(file)}, should be the path of a safetensors file`,
      );
    files[role] = file;
  }
  return files;
}

/** What the files of a run are read with. */
export interface StartReading {
  readonly players: Players;
  /** The role that each role would begin from if there were no file. */
  readonly begins: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly files: FileSystem | undefined;
  /** Roles that take their weights before anything is trained: those of whole files are read then, one tensor at a time. */
  readonly atOnce: readonly string[];
  readonly open?: OpenWeights;
}

/**
 * Reads the files and fits each to the parameters of its role, so that faults show before training begins. Parts that
 * a role does not inherit, such as a discriminator or an adapter, may be absent as a whole; they start from the seed.
 * @throws CheckpointError that lists all missing, unexpected and mis-shaped parameters of a file, OptionError, or E_FILE
 */
export async function readStartWeights(
  start: StartFiles,
  { players, begins, seed, files, atOnce, open }: StartReading,
): Promise<StartWeights> {
  const weights: Record<string, NamedTensors | OpenedWeights> = {};
  const roles = Object.keys(players);
  // What others share comes before those who share it.
  const order = Object.entries(start).sort(([a], [b]) => Number(sharing(players, a)) - Number(sharing(players, b)));
  for (const [role, file] of order) {
    if (!roles.includes(role))
      throw failure(
        "E_UNKNOWN_OPTION",
        `Cannot configure start: "${role}" is not one of ${roles.join(", ")}${suggestion(role, roles)}`,
      );
    const player = players[role];
    if (!player.layout.count)
      throw failure(
        "E_CONFIG",
        `Cannot start the ${role} from ${file ?? "a file"}: it has no parameters, start should leave it out`,
      );
    if (file === null || !files)
      throw failure(
        "E_CONFIG",
        `Cannot start the ${role}: ${file === null ? `start.${role} is not given` : "there is no file system to read with"}, should be a safetensors file of its weights`,
        { fix: `give the file with --set start.${role}=FILE` },
      );
    const opened = await open?.(file);
    if (opened) {
      const wrong = await misfits(player.layout, opened.sources);
      if (wrong.length) throw misfit(`Cannot start the ${role} from ${file}`, wrong, FIT);
      weights[role] = opened;
      continue;
    }
    const { tensors, metadata } = await openSafetensors(files, file);
    const base = baseIn(metadata, file);
    const isWhole = atOnce.includes(role) && !player.base && !base;
    const sources = isWhole ? underNamesOf(player.layout, tensors) : undefined;
    if (sources && (await misfits(player.layout, sources)).length === 0) {
      weights[role] = new OpenedWeights(sources, file);
      continue;
    }
    let given = await asNumbers(tensors, file);
    if (player.base) given = await withoutBase(player.base, given, base, weights, { role, file });
    else if (base) given = await withBase(files, file, given, base);
    const source = Object.hasOwn(begins, role) ? players[begins[role]].layout : undefined;
    weights[role] = fitted(player, source, given, file, seed);
  }
  return weights;
}

const FIT = "give weights of the network that the config describes, or change its options to theirs";

const sharing = (players: Players, role: string): boolean =>
  Object.hasOwn(players, role) && players[role].base !== undefined;

/**
 * What a role has for itself, out of the tensors of its file, which may have those that it shares as well.
 * @throws E_CHECKPOINT unless these are, or the base of its adapters is, what the role shares in this run
 */
async function withoutBase(
  { player, parameters }: PlayerBase,
  given: NamedTensors,
  base: BaseInfo | undefined,
  known: StartWeights,
  { role, file }: { readonly role: string; readonly file: string },
): Promise<NamedTensors> {
  const below = known[player.name];
  const numbersOf = async (name: string) => {
    if (below instanceof OpenedWeights) return toFloat32(await below.sources[name].read());
    return below[name].data;
  };
  const own = Object.entries(given).filter(([name]) => !parameters.has(name));
  const isSame = async () => {
    if (base) return below !== undefined && base.hash === (await hashOf(player.layout, numbersOf));
    if (own.length === Object.keys(given).length) return true;
    for (const [name, { name: there }] of parameters) {
      if (!below || !Object.hasOwn(given, name)) return false;
      const values = await numbersOf(there);
      if (!given[name].data.every((value, i) => value === values[i])) return false;
    }
    return true;
  };
  if (!(await isSame()))
    throw failure(
      "E_CHECKPOINT",
      `Cannot start the ${role} from ${file}: its adapters were trained over other weights than those of the ${player.name}`,
      { fix: `give the weights below them with --set start.${player.name}=FILE` },
    );
  return Object.fromEntries(own);
}

/** Tensors as float32. Only finite floating-point numbers are weights. */
async function asNumbers(tensors: WeightSources, file: string): Promise<NamedTensors> {
  const numbers: Record<string, NamedTensors[string]> = Object.create(null);
  for (const [name, { shape, dtype, read }] of Object.entries(tensors)) {
    const refuse = (why: string) => failure("E_CHECKPOINT", `Cannot start from ${file}: ${name} ${why}`);
    if (!floating.includes(dtype)) throw refuse(`is ${dtype}, should be one of ${floating.join(", ")}`);
    const data = toFloat32(await read());
    if (!data.every(Number.isFinite)) throw refuse("holds NaN or infinity, should hold finite numbers");
    numbers[name] = { shape, data };
  }
  return numbers;
}

function fitted(
  { name: role, role: part, layout }: Player<unknown>,
  source: ParameterLayout | undefined,
  given: NamedTensors,
  file: string,
  seed: number,
): NamedTensors {
  const tensors = underNamesOf(layout, given);
  const taught = new Set(source?.entries.map(({ name }) => name));
  const own = layout.entries
    .map(({ name }) => name)
    .filter((name) => source && !taught.has(inheritedBy(part, name) ?? ""));
  if (own.length > 0 && !own.some((name) => Object.hasOwn(tensors, name))) {
    const fresh = unpackArenas(layout, initialise(layout, seed));
    for (const name of own) tensors[name] = fresh[name];
  }
  const wrong = mismatches(layout, tensors);
  if (wrong.length) throw misfit(`Cannot start the ${role} from ${file}`, wrong, FIT);
  return tensors;
}

/** Adds or removes EDM's `model.` prefix, if that is the only difference from the expected names. */
function underNamesOf<T>({ entries }: ParameterLayout, tensors: Readonly<Record<string, T>>): Record<string, T> {
  const wrapped = (names: readonly string[]) => names.length > 0 && names.every((name) => name.startsWith(WRAPPER));
  const [has, should] = [Object.keys(tensors), entries.map(({ name }) => name)].map(wrapped);
  const renamed = (name: string) => {
    if (has === should || (!has && Object.keys(tensors).some((key) => key.startsWith(WRAPPER)))) return name;
    return has ? name.slice(WRAPPER.length) : `${WRAPPER}${name}`;
  };
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [renamed(name), tensor]));
}
