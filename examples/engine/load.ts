import { failure } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { openSafetensors } from "../../core/io/safetensorsFile.ts";
import { checkOptions, number, type Rule, text } from "../../core/plugin/mod.ts";
import { runFolder } from "../../core/train/files/runFolder.ts";
import { decodeWeights, RUN_KEY, readWeights } from "../../core/train/files/weightsFile.ts";
import { abortable, throwIfAborted, unlessAborted } from "./abort.ts";
import { type Around, filesOf } from "./around.ts";
import type { Model } from "./model.ts";
import { signalRule } from "./sampleRequest.ts";
import { StoredModel } from "./storedModel.ts";
import { findWeights } from "./storedWeights.ts";

/** How a model is loaded. */
export interface LoadOptions {
  /** Whose weights of a run's folder; the generator's by default, and the teacher's where it has none. */
  readonly role?: string;
  /**
   * Samples that are computed at a time. By default as many as are asked for, up to a hundred pictures, and a program is compiled for
   * each number that is asked for; with this there is one, and what is asked for is computed in parts of this size.
   */
  readonly batch?: number;
  /** Ends the loading with E_ABORTED; nothing of it stays on the device. */
  readonly signal?: AbortSignal;
}

const rules: Readonly<Record<keyof LoadOptions, Rule<unknown>>> = {
  role: text(),
  batch: number({ min: 1, max: 2 ** 31, integer: true }),
  signal: signalRule,
};

/**
 * Loads weights that a run wrote, given as the bytes of their file, by its path, or as the folder of the run; or opens a model of others
 * that makes pictures, by its folder or file.
 * @throws E_FILE, E_CHECKPOINT for what is damaged or fits no network, E_MISSING_PLUGIN, E_ABORTED
 */
export async function loadModel(
  source: string | Uint8Array | ArrayBuffer,
  around: Around,
  options: LoadOptions = {},
): Promise<Model> {
  checkOptions("load", rules, options);
  const { role, batch, signal } = options;
  return unlessAborted(signal, "load", async () => {
    const model = await opened(source, around, { role, batch, signal });
    if (signal?.aborted) await model.dispose();
    throwIfAborted(signal, "load");
    return model;
  });
}

async function opened(source: unknown, around: Around, { role, batch, signal }: LoadOptions): Promise<Model> {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
    const stored = decodeWeights(bytes, "the bytes");
    if (stored.info.base)
      throw failure(
        "E_CHECKPOINT",
        "Cannot load the bytes: they hold adapters, and the weights below them are missing",
        {
          fix: `load the run's folder, which has ${stored.info.base.file} as well`,
        },
      );
    return StoredModel.open(around, stored, batch);
  }
  if (typeof source !== "string" || source === "")
    throw failure("E_OPTION", `Cannot load ${String(source)}: expected a path, or the bytes of a weights file`);
  const files = abortable(filesOf(around, `load ${source}`), signal, "load");
  if (await isOurs(files, source)) {
    const file = await findWeights(files, source, role === undefined ? ["generator", "teacher"] : [role]);
    return StoredModel.open(around, await readWeights(files, file), batch);
  }
  if (around.models) return (await around.models()).openPictureModel(files, source, around);
  throw failure(
    "E_CHECKPOINT",
    `Cannot load ${source}: it holds no weights of a run, should be a run's folder or file`,
    {
      fix: 'models of others are opened by createEngine of "onestep/engine"',
    },
  );
}

/** Whether weights of a run lie there, and not a model of others; what is not there is ours to refuse. */
async function isOurs(files: FileSystem, path: string): Promise<boolean> {
  if (!(await files.exists(path))) return true;
  if (path.endsWith(".safetensors")) return RUN_KEY in (await openSafetensors(files, path)).metadata;
  return runFolder(files, path).holdsRun();
}
