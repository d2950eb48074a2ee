import { failure } from "../../errors.ts";
import type { FileSystem } from "../../io/files.ts";
import type { RunFolder } from "../files/runFolder.ts";
import type { Trainer } from "../update/trainer.ts";
import { playersUpTo } from "./resume.ts";

/**
 * Whether a run may begin in a folder, or go on in it, with weights of these roles. One that was stopped before it kept anything
 * begins anew.
 * @throws CheckpointError
 */
export async function checkFolder(
  folder: RunFolder,
  existing: "resume" | "replace" | undefined,
  roles: readonly string[] = [],
): Promise<"begin" | "resume"> {
  const { path } = folder;
  const holds = await folder.holdsRun(roles);
  if (existing === "resume") {
    if (!holds) throw failure("E_CHECKPOINT", `Cannot resume ${path}: it holds no run`, { fix: NO_RUN });
    return (await folder.isFresh()) && (await folder.isOurs()) ? "begin" : "resume";
  }
  if (!holds) return "begin";
  if (!(await folder.isOurs()))
    throw failure(
      "E_RUN_EXISTS",
      `Cannot start a run in ${path}: it holds files of a run's names that no run has written`,
      {
        fix: "choose another --out, or move them away; --force removes only what a run has written",
      },
    );
  if (!existing) throw failure("E_RUN_EXISTS", `Cannot start a run in ${path}: it already holds one`);
  return "begin";
}

const NO_RUN = "give the folder of a run with --out, or start one without --resume";

/**
 * Holds a run to the disk of its folder before it starts: one checkpoint is written while the one before is there, and the
 * weights have their own files.
 * @throws E_FILE
 */
export async function checkSpace({ path }: RunFolder, files: FileSystem, trainer: Trainer): Promise<void> {
  const room = await files.space?.(path);
  if (room === undefined) return;
  const { checkpoint, weights } = diskOf(trainer);
  const needed = 2 * checkpoint + weights;
  if (room < needed)
    throw failure(
      "E_FILE",
      `Cannot keep a run in ${path}: two checkpoints and the weights need ${mebibytes(needed)}, its disk has room for ${mebibytes(room)}`,
      { fix: "free some space, or choose an --out on another disk" },
    );
}

/** Bytes of a checkpoint with the states of all roles, and of the files of their weights, in f32. */
export function diskOf(trainer: Trainer): { readonly checkpoint: number; readonly weights: number } {
  const players = playersUpTo(trainer, trainer.method.stages.length - 1);
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + 4 * size, 0);
  return {
    checkpoint: sum(players.flatMap(({ sources }) => sources.map(({ length }) => length))),
    weights: sum(players.flatMap(({ layout }) => [...layout.arenas])),
  };
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
