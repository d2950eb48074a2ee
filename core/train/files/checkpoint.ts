// The only file that imports msgpackr.
import { Packr } from "msgpackr";
import { failure } from "../../errors.ts";
import type { HostArray } from "../../interfaces/backend.ts";
import type { FileSystem } from "../../io/files.ts";
import { decodeSafetensors, encodeSafetensors, toFloat32 } from "../../io/safetensors.ts";
import type { RunConfig } from "../config/config.ts";

/** Where a run stands. Tensors are in the file it names. */
export interface Manifest {
  readonly version: 1;
  /** The name of a stage, or `DONE`. */
  readonly stage: string;
  /** The step that comes next in that stage. */
  readonly step: number;
  /** Optimiser updates each role has had. */
  readonly updates: Readonly<Record<string, number>>;
  /** Factors of losses that commands have changed, by name. */
  readonly weights: Readonly<Record<string, number>>;
  readonly config: RunConfig;
  /** Name of the safetensors file beside the manifest. */
  readonly tensors: string;
}

/** The stage of a run that has ended. */
export const DONE = "done";

/** All states by name. */
export type States = Readonly<Record<string, HostArray>>;

// Plain msgpack: no record extension, so that a hostile file can't name prototypes.
const packr = new Packr({ useRecords: false });
const MANIFEST = "manifest.msgpack";
const MAX_MANIFEST = 16 * 2 ** 20;
/** Tensors, and drafts of them that a crash left. */
const TENSORS = /\.safetensors(\.[\w-]+\.tmp)?$/;

/**
 * Writes a checkpoint: tensors first, then the manifest that makes them count, then older tensors go. A crash in between
 * leaves the previous checkpoint valid.
 */
export async function saveCheckpoint(
  files: FileSystem,
  folder: string,
  manifest: Omit<Manifest, "version" | "tensors">,
  states: States,
): Promise<number> {
  await files.makeDir(folder);
  const name = `${manifest.stage.replace(/[^\w-]+/g, "-")}-${manifest.step}.safetensors`;
  const bytes = encodeSafetensors(
    Object.fromEntries(
      Object.entries(states).map(([key, data]) => [
        key,
        { dtype: data instanceof Int32Array ? "I32" : "F32", shape: [data.length], data },
      ]),
    ) as Parameters<typeof encodeSafetensors>[0],
  );
  await files.write(files.join(folder, name), bytes);
  const packed = packr.pack({ version: 1, ...manifest, tensors: name });
  await files.write(files.join(folder, MANIFEST), new Uint8Array(packed));
  for (const old of await files.list(folder))
    if (TENSORS.test(old) && old !== name) await files.remove(files.join(folder, old));
  return bytes.length + packed.length;
}

/**
 * Reads a checkpoint.
 * @throws CheckpointError when there is none, or it is damaged.
 */
export async function loadCheckpoint(
  files: FileSystem,
  folder: string,
): Promise<{ manifest: Manifest; states: States }> {
  const path = files.join(folder, MANIFEST);
  if (!(await files.exists(path)))
    throw failure("E_CHECKPOINT", `Cannot resume from ${folder}: there is no ${MANIFEST}, expected a checkpoint`);
  const manifest = checkedManifest(unpack(await files.read(path), path), path);
  const file = files.join(folder, manifest.tensors);
  if (!(await files.exists(file)))
    throw failure("E_CHECKPOINT", `Cannot read ${file}: it is not there, ${path} names it`);
  const { tensors } = decodeSafetensors(await files.read(file), file);
  const states = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [
      name,
      tensor.dtype === "I32" ? (tensor.data as Int32Array) : toFloat32(tensor),
    ]),
  );
  return { manifest, states };
}

function unpack(bytes: Uint8Array, path: string): unknown {
  if (bytes.length > MAX_MANIFEST)
    throw failure("E_CHECKPOINT", `Cannot read ${path}: ${bytes.length} bytes, expected at most ${MAX_MANIFEST}`);
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw failure("E_CHECKPOINT", `Cannot read ${path}: it is not a manifest`, { cause });
  }
}

function checkedManifest(value: unknown, path: string): Manifest {
  const m = value as Manifest;
  const whole = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  const sound =
    typeof value === "object" &&
    value !== null &&
    m.version === 1 &&
    typeof m.stage === "string" &&
    whole(m.step) &&
    typeof m.updates === "object" &&
    m.updates !== null &&
    Object.values(m.updates).every(whole) &&
    typeof m.weights === "object" &&
    m.weights !== null &&
    Object.values(m.weights).every((weight) => Number.isFinite(weight) && weight >= 0) &&
    typeof m.config === "object" &&
    m.config !== null &&
    typeof m.tensors === "string" &&
    /^[\w-]+\.safetensors$/.test(m.tensors);
  if (!sound) throw failure("E_CHECKPOINT", `Cannot read ${path}: its fields are not those of a manifest, version 1`);
  return m;
}
