import type { Backend } from "../../interfaces/backend.ts";
import type { Cache } from "../../interfaces/cache.ts";
import type { Collective } from "../../interfaces/collective.ts";
import type { DataFolder } from "../../interfaces/dataset.ts";
import type { Observer } from "../../interfaces/observer.ts";
import type { FileSystem } from "../../io/files.ts";
import type { ResolvedConfig } from "../config/config.ts";
import { type RunFolder, runFolder } from "../files/runFolder.ts";
import type { OpenWeights } from "../files/startWeights.ts";
import { inParts } from "../ranks/parts.ts";
import { Ranks } from "../ranks/ranks.ts";

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
  /**
   * The processes that share the run, this one by default. Every one of them makes a run of the same request, on a device of its own;
   * that of rank 0 owns `output` and `observers`, and decides.
   */
  readonly collective?: Collective;
  /** What to call this process by in messages to the others: its host's name. */
  readonly place?: string;
  /** The version of the program, which processes that share a run must have in common. */
  readonly version?: string;
  /** Keeps what takes long to make and later runs can use again, such as the classifier of a metric. */
  readonly cache?: Cache;
}

/** A request as one rank carries it out. */
export interface SharedRequest extends RunRequest {
  readonly ranks: Ranks;
  /** Of the output, where this rank owns it. */
  readonly folder: RunFolder | undefined;
}

/**
 * What a rank is to do of a request: its batches have parts for all, and rank 0 alone has an output. Several ranks do not open a
 * device again that one has lost: what the others have computed meanwhile is of no use.
 * @throws E_OPTION where there are more ranks than parts of a batch
 */
export async function sharedRequest(request: RunRequest): Promise<SharedRequest> {
  const { collective, place, output, reopen } = request;
  const { sumOrder } = request.resolved.settings;
  const ranks = new Ranks(collective, sumOrder, place);
  const { leads, several } = ranks;
  return {
    ...request,
    ranks,
    resolved: await ranks.together(async () => inParts(request.resolved, ranks.size)),
    reopen: several ? undefined : reopen,
    output: leads ? output : undefined,
    folder: leads && output ? runFolder(output.files, output.path) : undefined,
  };
}
