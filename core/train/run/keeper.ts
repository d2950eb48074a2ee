import { failure, OnestepError } from "../../errors.ts";
import { type Claim, type FileSystem, isDiskFull } from "../../io/files.ts";
import type { RunSettings } from "../config/trainOptions.ts";
import {
  listCheckpoints,
  type Manifest,
  pruneCheckpoints,
  type StageLength,
  type StateSource,
  saveCheckpoint,
} from "../files/checkpoint.ts";
import { Divergence } from "../update/leftOut.ts";

/** Where a run stands, and what it is made of. */
export interface Snapshot {
  readonly manifest: Omit<Manifest, "version"> & { readonly stages: readonly StageLength[] };
  readonly states: readonly StateSource[];
}

/** What a keeper works on. */
export interface KeeperRequest {
  readonly files: FileSystem;
  /** Of the checkpoints. */
  readonly folder: string;
  /** The run's folder. */
  readonly run: string;
  readonly settings: Pick<RunSettings, "checkpointEvery" | "checkpointMinutes" | "keep">;
  readonly claim?: Claim;
  /** Says what the run survives. */
  readonly warn: (message: string) => void;
}

/** Keeps the checkpoints of a run: when one is due, how many stay, and what happens when the disk refuses. */
export class CheckpointKeeper {
  readonly #request: KeeperRequest;
  /** The last one, and what it stands for. */
  #newest: { readonly path: string; readonly mark: string } | undefined;
  /** When the last one was tried (ms). */
  #tried = performance.now();
  #failed = false;

  constructor(request: KeeperRequest) {
    this.#request = request;
  }

  /** The checkpoint that a failed run can go on from. */
  get newest(): string | undefined {
    return this.#newest?.path;
  }

  /** Whether the disk has refused the last one. */
  get failing(): boolean {
    return this.#failed;
  }

  /** The run goes on from a checkpoint, which stands for this. */
  resumed(path: string, manifest: Snapshot["manifest"]): void {
    this.#newest = { path, mark: markOf(manifest) };
  }

  /** Whether a checkpoint is due when so many steps of a stage are done. */
  isDue(steps: number): boolean {
    const { checkpointEvery, checkpointMinutes } = this.#request.settings;
    if (checkpointEvery > 0 && steps % checkpointEvery === 0) return true;
    return checkpointMinutes > 0 && performance.now() - this.#tried >= checkpointMinutes * 60_000;
  }

  /**
   * Writes a checkpoint, unless the last one stands for the same. A disk that refuses is reported, and asked again when the next
   * one is due; then, with `last`, and before anything has been kept, the failure ends the run.
   * @throws E_FILE, E_RUN_EXISTS when another process has taken the folder, E_DIVERGED when a number is not finite
   */
  async save({ manifest, states }: Snapshot, last = false): Promise<{ path: string; bytes: number } | undefined> {
    const mark = markOf(manifest);
    if (mark === this.#newest?.mark) return undefined;
    const { files, folder, settings, claim } = this.#request;
    this.#tried = performance.now();
    try {
      await claim?.confirm();
      const saved = await this.#write(() => saveCheckpoint(files, folder, manifest, states));
      this.#newest = { path: saved.path, mark };
      this.#failed = false;
      await this.#tidy(settings.keep);
      return saved;
    } catch (error) {
      if (!(error instanceof OnestepError) || error.code !== "E_FILE") throw error;
      const fatal = last || this.#failed || !this.#newest;
      this.#failed = true;
      if (fatal) throw this.#fatal(error);
      this.#request.warn(`${error.message}; it is tried again when the next checkpoint is due, then the run ends`);
      return undefined;
    }
  }

  /** An error that ends the run, with the checkpoint that there is to go on from. */
  advised(error: unknown): unknown {
    if (!(error instanceof OnestepError) || !this.newest) return error;
    const ways: Partial<Record<string, string>> = {
      E_DIVERGED: `${diverged(error)}, and go on from ${this.newest} with --resume${this.#lookAt(error)}`,
      E_DEVICE_LOST: `start again with --resume; it goes on from ${this.newest}`,
    };
    const fix = ways[error.code];
    return fix ? failure(error.code, error.message, { cause: error, fix }) : error;
  }

  /** How to see the step that went wrong. */
  #lookAt(error: OnestepError): string {
    if (!(error instanceof Divergence)) return "";
    const { stage: name, step } = error.update;
    const [run, stage] = [this.#request.run, name].map((text) => (/\s/.test(text) ? `"${text}"` : text));
    return `; \`onestep replay ${run} --stage ${stage} --step ${step}\` shows what happened`;
  }

  /** The run is complete: what led to its last checkpoint need not fill the disk. */
  async finish(): Promise<void> {
    await this.#tidy(1);
  }

  /** Where the disk is full, older checkpoints make room for the new one, all but the newest. */
  async #write<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        const all = await listCheckpoints(this.#request.files, this.#request.folder);
        const oldest = all.at(-1);
        if (all.length < 2 || !oldest || oldest === this.newest) throw error;
        await this.#request.files.remove(oldest);
      }
    }
  }

  async #tidy(keep: number): Promise<void> {
    const { files, folder, warn } = this.#request;
    if (!this.#newest) return;
    try {
      await pruneCheckpoints(files, folder, this.#newest.path, keep);
    } catch (error) {
      warn(`older checkpoints stay: ${(error as Error).message}`);
    }
  }

  #fatal(error: OnestepError): OnestepError {
    const newest = this.newest ? `, then go on from ${this.newest} with --resume` : "";
    const fix = `${error.fix}${newest}`;
    return failure(error.code, error.message, { cause: error, fix });
  }
}

/** What to change after an update that was not finite: going on as before would come to the same. */
function diverged(error: OnestepError): string {
  if (!(error instanceof Divergence)) return "lower the learning rates";
  const { role, policy, step } = error.update;
  if (error.persists) return `look at what goes in at step ${step}, or leave it out with --set train.nonFinite=skip`;
  const slower = `lower the learning rate with --set optimizers.${role}.lr=RATE`;
  return policy === "skip" ? slower : `${slower}, or leave such updates out with --set train.nonFinite=skip`;
}

const markOf = ({ stage, step, turn = 0, rollbacks = 0, weights }: Snapshot["manifest"]): string =>
  JSON.stringify([stage, step, turn, rollbacks, weights]);
