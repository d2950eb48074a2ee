import { failure } from "../../errors.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import type { FileSystem } from "../../io/files.ts";
import { decodeSafetensors, encodeSafetensors, type SafetensorsFile, toFloat32 } from "../../io/safetensors.ts";
import { openSafetensors, readSafetensors, type TensorSource, writeSafetensors } from "../../io/safetensorsFile.ts";
import { parseJson } from "../../json/parseJson.ts";
import { isRecord } from "../../plugin/spec.ts";
import { allFinite } from "../../tensor/allFinite.ts";
import type { RunConfig } from "../config/config.ts";
import { modernised, modernShape } from "../config/version1.ts";
import type { NamedTensors } from "../update/player.ts";
import { type BaseInfo, isBaseInfo, withBase } from "./baseWeights.ts";
import { requireFinite } from "./finite.ts";

/** What a weights file says about itself, so that a generator can't be sampled with the wrong settings by accident. */
export interface WeightsInfo {
  readonly role: string;
  /** The stage that they were written in; absent in files of 0.1.0. */
  readonly stage?: string;
  readonly data: DataShape;
  readonly config: RunConfig;
  /** Of adapters: the weights below them, which the file does not hold. */
  readonly base?: BaseInfo;
  /** Of weights that were kept while the run went on: why. */
  readonly best?: BestOf;
}

/** By which number of a metric weights were kept, its value, and how many steps of the stage were done. */
export interface BestOf {
  readonly metric: string;
  readonly value: number;
  readonly step: number;
}

/** Key of what weights say of themselves, in the metadata of their file. */
export const RUN_KEY = "onestep";

/** Weights by parameter name, with their manifest in the header. Those of a role that draws no samples are for `start`. */
export function encodeWeights(tensors: NamedTensors, info: WeightsInfo): Uint8Array {
  const stored = Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { dtype: "F32" as const, shape: [...shape], data },
    ]),
  );
  return encodeSafetensors(stored, { [RUN_KEY]: JSON.stringify(info) });
}

/**
 * The reverse.
 * @throws CheckpointError when the file is damaged, or its header has no manifest of ours.
 */
export function decodeWeights(bytes: Uint8Array, file: string): { tensors: NamedTensors; info: WeightsInfo } {
  return asWeights(decodeSafetensors(bytes, file), file);
}

/**
 * `encodeWeights` into a file, one tensor in memory at a time.
 * @throws E_DIVERGED when a number is not finite; then the file stays as it was
 */
export async function writeWeights(
  files: FileSystem,
  path: string,
  tensors: readonly TensorSource[],
  info: WeightsInfo,
): Promise<void> {
  const checked = tensors.map((source) => ({
    ...source,
    async read() {
      const data = await source.read();
      requireFinite(data as Float32Array, `write the weights of the ${info.role}`, source.name);
      return data;
    },
  }));
  await writeSafetensors(files, path, checked, { [RUN_KEY]: JSON.stringify(info) });
}

/** `decodeWeights` of a file of any size; adapters with the weights below them. @throws CheckpointError or E_FILE */
export async function readWeights(files: FileSystem, path: string): Promise<ReturnType<typeof decodeWeights>> {
  const { tensors, info } = asWeights(await readSafetensors(files, path), path);
  return { tensors: info.base ? await withBase(files, path, tensors, info.base) : tensors, info };
}

/** The weights below the adapters of a file; undefined where the file is not one of ours, or holds all weights. */
export const baseIn = (metadata: SafetensorsFile["metadata"], path: string): BaseInfo | undefined =>
  metadata[RUN_KEY] === undefined ? undefined : parseWeightsInfo(metadata[RUN_KEY], path).base;

/** What a file says of its weights, which are not read. @throws CheckpointError or E_FILE */
export const readWeightsInfo = async (files: FileSystem, path: string): Promise<WeightsInfo> =>
  parseWeightsInfo((await openSafetensors(files, path)).metadata[RUN_KEY], path);

function asWeights({ tensors, metadata }: SafetensorsFile, file: string): { tensors: NamedTensors; info: WeightsInfo } {
  const info = parseWeightsInfo(metadata[RUN_KEY], file);
  const named = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      const data = toFloat32(tensor);
      if (!allFinite(data))
        throw failure("E_CHECKPOINT", `Cannot sample from ${file}: ${name} holds NaN or infinity, should hold numbers`);
      return [name, { shape: tensor.shape, data }];
    }),
  );
  return { tensors: named, info };
}

/** Whether every entry has a shape, an element type and a known way to leave it out. */
const isConditionShape = (condition: unknown): boolean =>
  isRecord(condition) &&
  Object.values(condition).every((entry) => {
    if (!isRecord(entry)) return false;
    const { shape, dtype, classes = 1, names, empty = "same" } = entry;
    return (
      isShape(shape) &&
      (names === undefined || areNames(names, classes)) &&
      ["f32", "i32"].includes(dtype as string) &&
      isShape([classes]) &&
      ["absent", "stored", "zero", "same"].includes(empty as string)
    );
  });

const areNames = (names: unknown, count: unknown): boolean =>
  Array.isArray(names) && names.length === count && names.every((name) => typeof name === "string");

const isShape = (shape: unknown): boolean =>
  Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size > 0);

/** What the metadata of a weights file say. @throws CheckpointError where they are not there, or lack what drawing needs */
export function parseWeightsInfo(text: string | undefined, file: string): WeightsInfo {
  const refuse = (why: string) => failure("E_CHECKPOINT", `Cannot sample from ${file}: ${why}`);
  if (text === undefined) throw refuse("its header has no onestep manifest, expected weights that a run wrote");
  let given: unknown;
  try {
    given = parseJson(text);
  } catch {
    throw refuse("its manifest is not JSON");
  }
  if (!isRecord(given) || !isRecord(given.data) || !isRecord(given.config))
    throw refuse("its manifest lacks role, data or config");
  const data = modernShape(given.data);
  const sound =
    typeof given.role === "string" &&
    isShape(data.sample) &&
    isConditionShape(data.condition) &&
    typeof data.sigmaData === "number" &&
    data.sigmaData > 0 &&
    data.sigmaData < Number.POSITIVE_INFINITY;
  if (!sound) throw refuse("its manifest lacks role, data or config");
  if (given.base !== undefined && !isBaseInfo(given.base)) throw refuse("its manifest names no file for its base");
  const base = isBaseInfo(given.base) ? { base: given.base } : {};
  const info = { role: given.role as string, data, config: modernised(given.config) as RunConfig, ...base };
  const best = isBest(given.best) ? { best: given.best } : {};
  return typeof given.stage === "string" ? { ...info, stage: given.stage, ...best } : info;
}

const isBest = (given: unknown): given is BestOf =>
  isRecord(given) &&
  typeof given.metric === "string" &&
  Number.isFinite(given.value) &&
  Number.isSafeInteger(given.step);
