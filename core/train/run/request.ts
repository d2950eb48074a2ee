import type { Backend } from "../../interfaces/backend.ts";
import type { Cache } from "../../interfaces/cache.ts";
import type { DataFolder } from "../../interfaces/dataset.ts";
import type { Observer } from "../../interfaces/observer.ts";
import type { FileSystem } from "../../io/files.ts";
import type { ResolvedConfig } from "../config/config.ts";
import type { OpenWeights } from "../files/startWeights.ts";

/** What a run is made of. */
export interface RunRequest {
  readonly resolved: ResolvedConfig;
  readonly backend: Backend;
  readonly data?: DataFolder;
  /** Where results go; nothing is written when absent. */
  readonly output?: {
    readonly files: FileSystem;
    readonly path: string;
    /** Go on from the folder's last sound checkpoint, or replace the run in it. Otherwise a run in the folder is an error. */
    readonly existing?: "resume" | "replace";
  };
  readonly observers?: readonly Observer[];
  /** Opens what `start` names where it is no safetensors file of a role, such as a model's folder. */
  readonly openWeights?: OpenWeights;
  /**
   * Closes the backend and opens the same device again, after the loss of it: a run with an output then goes on from its newest
   * checkpoint. The new backend is the caller's to close as well. Without this, a loss ends the run.
   */
  readonly reopen?: () => Promise<Backend>;
  /** Bytes of memory that the host has left, where that is known: what is sure to need more is refused before it begins. */
  readonly memory?: number;
  /** Keeps what takes long to make and later runs can use again, such as the classifier of a metric. */
  readonly cache?: Cache;
}
