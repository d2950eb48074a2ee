/** Weights below adapters: a file of adapters names the file of the weights that they were trained over, and knows their hash. */
import { failure } from "../../errors.ts";
import type { FileSystem } from "../../io/files.ts";
import { toFloat32 } from "../../io/safetensors.ts";
import { type OpenSafetensors, openSafetensors } from "../../io/safetensorsFile.ts";
import { sha256 } from "../../io/sha256.ts";
import type { ParameterLayout } from "../../nn/parameters.ts";
import { isRecord } from "../../plugin/spec.ts";
import type { Shape } from "../../tensor/shape.ts";
import type { NamedTensors, PlayerBase } from "../update/player.ts";

/** What a file of adapters says of the weights that it does not hold. */
export interface BaseInfo {
  /** Where they are, from the folder of the file on. */
  readonly file: string;
  /** What stands before a name of theirs in the adapted network. */
  readonly prefix: string;
  /** `baseHash` of all of them. */
  readonly hash: string;
}

/** Beside the file, or a folder above it: a file from elsewhere can't name others of the machine. */
const isNear = (file: string): boolean => /^(\.\.\/)?[^/\\]+\.safetensors$/.test(file);

/** Whether a manifest's `base` is what `BaseInfo` says. */
export const isBaseInfo = (given: unknown): given is BaseInfo =>
  isRecord(given) &&
  typeof given.file === "string" &&
  isNear(given.file) &&
  typeof given.prefix === "string" &&
  typeof given.hash === "string";

/** SHA-256 of named float32 tensors, whatever their order: one is in memory at a time. */
export async function baseHash(
  tensors: Iterable<{ readonly name: string; readonly shape: Shape; read(): Float32Array | Promise<Float32Array> }>,
): Promise<string> {
  const digests: [string, Shape, string][] = [];
  for (const { name, shape, read } of tensors) digests.push([name, shape, await sha256(await read())]);
  digests.sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(new TextEncoder().encode(JSON.stringify(digests)));
}

/** What a file of a role's adapters says of the weights that the role shares, but for where these are. */
export async function describeBase({ player, parameters }: PlayerBase): Promise<Omit<BaseInfo, "file">> {
  const [[own, { name }]] = parameters;
  const stored = player.stored("served").map(({ name, shape, read }) => ({
    name,
    shape,
    read: async () => (await read()) as Float32Array,
  }));
  return { prefix: own.slice(0, own.length - name.length), hash: await baseHash(stored) };
}

/** The hash of a role's weights, as the file of them would have it. */
export const hashOf = (
  { entries, derived = [] }: ParameterLayout,
  numbersOf: (name: string) => Promise<Float32Array>,
): Promise<string> =>
  baseHash([
    ...entries.map(({ name, shape }) => ({ name, shape, read: () => numbersOf(name) })),
    ...derived.map(({ name, shape, data }) => ({ name, shape, read: () => data })),
  ]);

/**
 * The weights below the adapters of the file `path`, by their own names, each to be read when it is needed.
 * @throws E_CHECKPOINT where they are not there, or are others
 */
export async function openBase(
  files: FileSystem,
  path: string,
  { file, hash }: BaseInfo,
): Promise<OpenSafetensors["tensors"]> {
  const from = files.join(path.replace(/[^/\\]+$/, "") || ".", file);
  const refuse = (why: string) =>
    failure("E_CHECKPOINT", `Cannot use ${path}: it holds adapters, and ${why}`, {
      fix: `put the ${file} that the run wrote beside it`,
    });
  if (!(await files.exists(from))) throw refuse(`the weights below them are not there, should be ${from}`);
  const { tensors } = await openSafetensors(files, from);
  const found = await baseHash(
    Object.values(tensors).map(({ name, shape, read }) => ({
      name,
      shape,
      read: async () => toFloat32(await read()),
    })),
  );
  if (found !== hash) throw refuse(`${from} has other weights than those that they were trained over`);
  return tensors;
}

/** Adapters of the file `path` with the weights that they were trained over, by the names of the adapted network. Throws as `openBase`. */
export async function withBase(
  files: FileSystem,
  path: string,
  adapters: NamedTensors,
  base: BaseInfo,
): Promise<NamedTensors> {
  const whole: NamedTensors = {};
  for (const [name, { shape, read }] of Object.entries(await openBase(files, path, base)))
    whole[base.prefix + name] = { shape: [...shape], data: toFloat32(await read()) };
  return { ...whole, ...adapters };
}
