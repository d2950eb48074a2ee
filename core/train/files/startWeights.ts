/** Weights from a user's files that a run starts with. Only weights: optimisers, averages and steps begin anew. */
import { failure, suggestion } from "../../errors.ts";
import type { RoleName } from "../../interfaces/role.ts";
import type { FileSystem } from "../../io/files.ts";
import { decodeSafetensors, type StoredTensor, toFloat32 } from "../../io/safetensors.ts";
import { initialise, mismatches, type ParameterLayout, unpackArenas } from "../../nn/parameters.ts";
import type { NamedTensors, Player } from "../update/player.ts";
import type { Players } from "../update/turnContext.ts";

/** Files of weights by role, the `start` section of a config. null: the run needs one that the user has yet to name. */
export type StartFiles = Readonly<Partial<Record<RoleName, string | null>>>;

/** Weights of the roles that start from a file. */
export type StartWeights = Readonly<Partial<Record<RoleName, NamedTensors>>>;

const roles: readonly string[] = ["teacher", "generator", "critic"] satisfies RoleName[];
/** EDM's wrapper of a network, whose name some state dicts have before every key and others leave out. */
const WRAPPER = "model.";
const floating: readonly string[] = ["F64", "F32", "F16", "BF16"] satisfies StoredTensor["dtype"][];

/** The `start` section, complete; `false` leaves a role out. @throws OptionError */
export function readStartFiles(given: Readonly<Record<string, unknown>>): StartFiles {
  const files: Record<string, string | null> = {};
  for (const [role, file] of Object.entries(given)) {
    if (!roles.includes(role))
      throw failure(
        "E_UNKNOWN_OPTION",
        `Cannot configure start: "${role}" is not one of ${roles.join(", ")}${suggestion(role, roles)}`,
      );
    if (file === false) continue;
    if (file !== null && (typeof file !== "string" || file === ""))
      throw failure(
        "E_OPTION",
        `Cannot configure start: ${role} is ${JSON.stringify(file)}, should be the path of a safetensors file`,
      );
    files[role] = file;
  }
  return files;
}

/**
 * Reads the files and fits each to the parameters of its role, so that nothing is found out after training has begun. What
 * a role does not have from the teacher, such as a discriminator or an adapter, may be absent as a whole and starts anew.
 * @throws CheckpointError that lists all missing, unexpected and mis-shaped parameters of a file, E_CONFIG, or E_FILE
 */
export async function readStartWeights(
  start: StartFiles,
  players: Players,
  { seed, files }: { readonly seed: number; readonly files: FileSystem | undefined },
): Promise<StartWeights> {
  const weights: Partial<Record<RoleName, NamedTensors>> = {};
  for (const [role, file] of Object.entries(start) as [RoleName, string | null][]) {
    const player = players[role] as Player<unknown> | undefined;
    if (!player?.layout.count)
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
    const { tensors } = decodeSafetensors(await files.read(file), file);
    weights[role] = fitted(player, players.teacher.layout, asNumbers(tensors, file), file, seed);
  }
  return weights;
}

/** Tensors as float32. Only finite floating-point numbers are weights. */
function asNumbers(tensors: Readonly<Record<string, StoredTensor>>, file: string): NamedTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const refuse = (why: string) =>
        failure("E_CHECKPOINT", `Cannot start from ${file}: ${name} ${why}`);
      if (!floating.includes(tensor.dtype))
        throw refuse(`is ${tensor.dtype}, should be one of ${floating.join(", ")}`);
      const data = toFloat32(tensor);
      if (!data.every(Number.isFinite))
        throw refuse("holds NaN or infinity, should hold finite numbers");
      return [name, { shape: tensor.shape, data }];
    }),
  );
}

function fitted(
  { name: role, role: part, layout }: Player<unknown>,
  teacher: ParameterLayout,
  given: NamedTensors,
  file: string,
  seed: number,
): NamedTensors {
  const tensors = underNamesOf(layout, given);
  const taught = new Set(teacher.entries.map(({ name }) => name));
  const own = layout.entries
    .map(({ name }) => name)
    .filter((name) => role !== "teacher" && !taught.has(part.inherits?.(name) ?? ""));
  if (own.length > 0 && !own.some((name) => Object.hasOwn(tensors, name))) {
    const fresh = unpackArenas(layout, initialise(layout, seed));
    for (const name of own) tensors[name] = fresh[name];
  }
  const wrong = mismatches(layout, tensors);
  if (wrong.length)
    throw failure("E_CHECKPOINT", `Cannot start the ${role} from ${file}: ${wrong.join("; ")}`, {
      fix: "give weights of the network that the config describes, or change its options to theirs",
    });
  return tensors;
}

/** A copy of the record in which the wrapper's name is put before every key, or taken off, where that alone is amiss. */
function underNamesOf({ entries }: ParameterLayout, tensors: NamedTensors): NamedTensors {
  const wrapped = (names: readonly string[]) =>
    names.length > 0 && names.every((name) => name.startsWith(WRAPPER));
  const [has, should] = [Object.keys(tensors), entries.map(({ name }) => name)].map(wrapped);
  const renamed = (name: string) => {
    if (has === should || (!has && Object.keys(tensors).some((key) => key.startsWith(WRAPPER))))
      return name;
    return has ? name.slice(WRAPPER.length) : `${WRAPPER}${name}`;
  };
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [renamed(name), tensor]),
  );
}
