import { failure } from "../../core/errors.ts";
import type { Backend, Cache, DataFolder } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/files.ts";
import type { Registry } from "../../core/plugin/mod.ts";
import { abortable } from "./abort.ts";

/** What an engine gives to its models and runs. */
export interface Around {
  readonly backend: Backend;
  readonly registry: Registry;
  readonly files?: FileSystem;
  readonly cache?: Cache;
  /** Tells the user something, a sentence each. */
  readonly note: (text: string) => void;
  /** What opens models of others, where the engine knows such. */
  readonly models?: () => Promise<typeof import("./modelsOfOthers.ts")>;
  /** Something of the engine's has been disposed by its owner. */
  forget(owned: object): void;
}

/** The engine's files. @throws E_OPTION where it has none; `what` is what can't be done without, as in "load runs/digits" */
export function filesOf({ files }: Around, what: string): FileSystem {
  if (files) return files;
  throw failure("E_OPTION", `Cannot ${what}: the engine has no files`, {
    fix: 'give them to createEngine: files of "onestep/host" in Node and Deno, or a FileSystem of your own',
  });
}

/**
 * Where data lie: a folder of the engine's files, or one that says itself where it is. What is decoded off the thread is decoded there.
 * Nothing more is read once the signal is aborted.
 */
export async function dataFolder(
  given: string | DataFolder | undefined,
  around: Around,
  signal: AbortSignal | undefined,
  what: string,
): Promise<DataFolder> {
  const { offloading } = await import("../../backends/host/offload.ts");
  const folder: DataFolder = typeof given === "string" ? { files: filesOf(around, what), path: given } : (given ?? {});
  const files = folder.files ?? around.files;
  return {
    offload: offloading({ tell: around.note }),
    ...folder,
    ...(files && { files: abortable(files, signal, what) }),
  };
}
