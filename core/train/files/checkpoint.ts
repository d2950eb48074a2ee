/**
 * A checkpoint is one safetensors file, written in one step: the states of a run, its manifest in the header, and as the last
 * tensor the checksums of the header and of every state, so that no flipped bit goes unnoticed.
 */
import { failure, OnestepError } from "../../errors.ts";
import type { HostArray } from "../../interfaces/backend.ts";
import type { FileSystem } from "../../io/files.ts";
import { toFloat32 } from "../../io/safetensors.ts";
import { type FileTensor, openSafetensors, type TensorSource, writeSafetensors } from "../../io/safetensorsFile.ts";
import { encodeHeader, type StoredTensor } from "../../io/safetensorsHeader.ts";
import { xxh32 } from "../../io/xxh32.ts";
import { parseJson } from "../../json/parseJson.ts";
import { isRecord } from "../../plugin/spec.ts";
import { allFinite } from "../../tensor/allFinite.ts";
import type { RunConfig } from "../config/config.ts";
import type { Watched } from "../loop/pacing.ts";
import { requireFinite } from "./finite.ts";
import { MANIFEST, openVersion1 } from "./version1.ts";

/** Where a run stands. */
export interface Manifest {
  readonly version: 1 | 2;
  /** The name of a stage; in files of 0.1.0 also `DONE`. */
  readonly stage: string;
  /** The step that comes next in that stage. */
  readonly step: number;
  /** How many turns of that step are done already; none where absent. */
  readonly turn?: number;
  /** How often the run has gone back to a checkpoint with lower learning rates; never where absent. */
  readonly rollbacks?: number;
  /** Updates that were left out because they were not finite, by role; none where absent. */
  readonly leftOut?: Readonly<Record<string, number>>;
  /** Of turns that wait for a role: what is known of its loss; none where absent. */
  readonly pacing?: Readonly<Record<string, Watched>>;
  /** All stages, as they were planned when it was written; absent in files of 0.1.0. */
  readonly stages?: readonly StageLength[];
  /** Optimiser updates each role has had. */
  readonly updates: Readonly<Record<string, number>>;
  /** Factors of losses that commands have changed, by name. */
  readonly weights: Readonly<Record<string, number>>;
  readonly config: RunConfig;
}

/** A stage and its number of steps. */
export interface StageLength {
  readonly name: string;
  readonly steps: number;
}

/** What 0.1.0 called the stage of a run that has ended. */
export const DONE = "done";

/** A state to be stored: its numbers are fetched when it is their turn, so that one is in memory at a time. */
export interface StateSource {
  readonly name: string;
  readonly length: number;
  readonly dtype?: "f32" | "i32";
  read(): HostArray | Promise<HostArray>;
}

/** A state in a file. */
export interface StoredState {
  readonly length: number;
  readonly dtype: "f32" | "i32";
  /** @throws CheckpointError when it is not what was written */
  read(): Promise<HostArray>;
}

/** A checkpoint whose manifest has been read and found sound; each state is checked when it is read. */
export interface Checkpoint {
  readonly path: string;
  readonly manifest: Manifest;
  readonly states: Readonly<Record<string, StoredState>>;
}

const KEY = "onestep-checkpoint";
/** I32 [1 + states]: XXH32 of the header, then of every state in order. */
const CHECKSUMS = "checksums";
/** Place of the stage, its name, the step, and turns of it that are done. */
const FILE = /^(\d+)-.*-(\d+)(?:\+(\d+))?\.safetensors$/;

/**
 * Writes a checkpoint into a folder; one of the same stage and step is replaced. A crash leaves what was there before.
 * @throws E_DIVERGED when a number is not finite, and what the file system says
 */
export async function saveCheckpoint(
  files: FileSystem,
  folder: string,
  manifest: Omit<Manifest, "version"> & { readonly stages: readonly StageLength[] },
  states: readonly StateSource[],
): Promise<{ readonly path: string; readonly bytes: number }> {
  await files.makeDir(folder);
  const { stage, step, turn = 0, stages } = manifest;
  const place = stages.findIndex(({ name }) => name === stage) + 1;
  const moment = turn > 0 ? `${step}+${turn}` : `${step}`;
  const path = files.join(folder, `${place}-${stage.replace(/[^\w-]+/g, "-")}-${moment}.safetensors`);
  const sums: number[] = [];
  const sources: TensorSource[] = states.map((source) => ({
    name: source.name,
    dtype: source.dtype === "i32" ? "I32" : "F32",
    shape: [source.length],
    async read() {
      const numbers = await source.read();
      requireFinite(numbers, `save a checkpoint at step ${step}`, source.name);
      sums.push(checksum(numbers));
      return numbers;
    },
  }));
  sources.push({
    name: CHECKSUMS,
    dtype: "I32",
    shape: [1 + states.length],
    read: () => Int32Array.of(xxh32(encodeHeader(sources, metadata).head), ...sums),
  });
  const metadata = { [KEY]: JSON.stringify({ version: 2, ...manifest }) };
  return { path, bytes: await writeSafetensors(files, path, sources, metadata) };
}

const checksum = ({ buffer, byteOffset, byteLength }: HostArray) =>
  xxh32(new Uint8Array(buffer, byteOffset, byteLength));

/** The checkpoints in a folder, paths, the furthest first. One of 0.1.0 comes last. */
export async function listCheckpoints(files: FileSystem, folder: string): Promise<string[]> {
  const names = (await files.exists(folder)) ? await files.list(folder) : [];
  const found = names.flatMap((name) => {
    const [, place, step, turn = 0] = name.match(FILE) ?? [];
    return step === undefined ? [] : [{ name, place: Number(place), step: Number(step), turn: Number(turn) }];
  });
  const sorted = found.sort((a, b) => b.place - a.place || b.step - a.step || b.turn - a.turn).map(({ name }) => name);
  return [...sorted, ...names.filter((name) => name === MANIFEST)].map((name) => files.join(folder, name));
}

/**
 * Reads the manifest of a checkpoint that `listCheckpoints` has found.
 * @throws CheckpointError when it is damaged
 */
export async function openCheckpoint(files: FileSystem, folder: string, path: string): Promise<Checkpoint> {
  if (path === files.join(folder, MANIFEST)) return openVersion1(files, folder);
  const { head, metadata, tensors } = await openSafetensors(files, path);
  const { [CHECKSUMS]: last, ...others } = tensors;
  const sums = last && last.dtype === "I32" ? ((await last.read()).data as Int32Array) : new Int32Array(0);
  const entries = Object.entries(others);
  if (sums.length !== entries.length + 1 || sums[0] !== (xxh32(head) | 0))
    throw failure("E_CHECKPOINT", `Cannot read ${path}: its header is not what was written, the file is damaged`);
  const states = entries.map(([name, tensor], i) => [name, storedState(tensor, path, sums[i + 1])]);
  const manifest = checkedManifest(parsed(metadata[KEY]), path, 2);
  return { path, manifest, states: Object.fromEntries(states) };
}

/** A tensor of a file as a state; with a checksum, its numbers are held to it. */
export function storedState(tensor: FileTensor, file: string, sum?: number): StoredState {
  const { name, dtype, shape } = tensor;
  return {
    length: shape.reduce((count, size) => count * size, 1),
    dtype: dtype === "I32" ? "i32" : "f32",
    async read() {
      const numbers = asState(await tensor.read());
      if (sum !== undefined && (checksum(numbers) | 0) !== sum)
        throw failure("E_CHECKPOINT", `Cannot read ${file}: ${name} is not what was written, the file is damaged`);
      if (!allFinite(numbers))
        throw failure("E_CHECKPOINT", `Cannot read ${file}: ${name} holds NaN or infinity, nothing can go on from it`);
      return numbers;
    },
  };
}

const asState = (tensor: StoredTensor): HostArray => (tensor.dtype === "I32" ? tensor.data : toFloat32(tensor));

/**
 * The furthest sound checkpoint in a folder, as `use` makes it of one; those passed over are told with their errors.
 * @throws CheckpointError when there is none, or none is sound; what else `use` throws
 */
export async function newestSound<T>(
  files: FileSystem,
  folder: string,
  use: (checkpoint: Checkpoint) => Promise<T>,
): Promise<{ readonly value: T; readonly path: string; readonly passedOver: readonly OnestepError[] }> {
  const passedOver: OnestepError[] = [];
  for (const path of await listCheckpoints(files, folder)) {
    try {
      return { value: await use(await openCheckpoint(files, folder, path)), path, passedOver };
    } catch (error) {
      const damaged = error instanceof OnestepError && ["E_CHECKPOINT", "E_FILE"].includes(error.code);
      if (!damaged) throw error;
      passedOver.push(error);
    }
  }
  const [first] = passedOver;
  if (passedOver.length === 1) throw first;
  const why = first
    ? `none of its ${passedOver.length} checkpoints is sound: ${first.message}`
    : "there is no checkpoint";
  throw failure("E_CHECKPOINT", `Cannot resume from ${folder}: ${why}`, {
    cause: first,
    fix: "start the run again with --force, or choose another --out",
  });
}

/**
 * Reads the furthest sound checkpoint of a folder into memory.
 * @throws CheckpointError when there is none, or none is sound
 */
export async function loadCheckpoint(
  files: FileSystem,
  folder: string,
): Promise<{ manifest: Manifest; states: Readonly<Record<string, HostArray>> }> {
  const { value } = await newestSound(files, folder, async ({ manifest, states }) => {
    const read: [string, HostArray][] = [];
    for (const [name, state] of Object.entries(states)) read.push([name, await state.read()]);
    return { manifest, states: Object.fromEntries(read) };
  });
  return value;
}

/**
 * Removes what a checkpoint has made superfluous: all but `keep` up to it, any beyond it, which belong to a course of the run
 * that was given up, and what 0.1.0 wrote.
 */
export async function pruneCheckpoints(files: FileSystem, folder: string, newest: string, keep: number): Promise<void> {
  const old = files.join(folder, MANIFEST);
  const all = await listCheckpoints(files, folder);
  const place = all.indexOf(newest);
  // Only what is surely there makes others superfluous.
  if (place < 0 || newest === old) return;
  for (const [i, path] of all.entries()) if ((i < place || i >= place + keep) && path !== old) await files.remove(path);
  if (!all.includes(old)) return;
  // Its manifest last: tensors without one would stay for ever.
  for (const name of await files.list(folder))
    if (name.endsWith(".safetensors") && !FILE.test(name)) await files.remove(files.join(folder, name));
  await files.remove(old);
}

function parsed(text: string | undefined): unknown {
  try {
    return parseJson(text ?? "null");
  } catch {
    return undefined;
  }
}

/** @throws CheckpointError unless every field is what it should be */
export function checkedManifest(value: unknown, path: string, version: Manifest["version"]): Manifest {
  const m = value as Manifest;
  const whole = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const sound =
    isRecord(value) &&
    m.version === version &&
    typeof m.stage === "string" &&
    whole(m.step) &&
    whole(m.turn ?? 0) &&
    whole(m.rollbacks ?? 0) &&
    isRecord(m.leftOut ?? {}) &&
    Object.values(m.leftOut ?? {}).every(whole) &&
    isRecord(m.pacing ?? {}) &&
    Object.values(m.pacing ?? {}).every(isWatched) &&
    (version === 1 || isWithin(m)) &&
    isRecord(m.updates) &&
    Object.values(m.updates).every(whole) &&
    isRecord(m.weights) &&
    Object.values(m.weights).every((weight) => Number.isFinite(weight) && weight >= 0) &&
    isRecord(m.config);
  if (!sound)
    throw failure("E_CHECKPOINT", `Cannot read ${path}: its fields are not those of a manifest, version ${version}`);
  return m;
}

/** Whether it is what is known of a loss that turns wait for. */
const isWatched = (watched: unknown): boolean =>
  isRecord(watched) &&
  Number.isSafeInteger(watched.since) &&
  (watched.since as number) >= 0 &&
  ["recent", "least"].every((name) => watched[name] === undefined || Number.isFinite(watched[name]));

/** Whether its stage is one of its stages, and has so many steps. */
function isWithin({ stage, step, stages }: Manifest): boolean {
  if (!Array.isArray(stages) || !stages.every((each) => isRecord(each) && Number.isSafeInteger(each.steps)))
    return false;
  const own = stages.find(({ name }) => name === stage);
  return own !== undefined && step <= own.steps;
}
