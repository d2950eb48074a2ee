import { failure } from "../../errors.ts";
import type { Method } from "../../interfaces/method.ts";
import type { FileSystem } from "../../io/files.ts";
import { checkChanges } from "../config/changes.ts";
import type { RunConfig } from "../config/config.ts";
import { DONE, type Manifest, newestSound } from "../files/checkpoint.ts";
import type { RunFolder } from "../files/runFolder.ts";
import type { Player } from "../update/player.ts";
import { rolesOf } from "../update/roles.ts";
import type { Trainer } from "../update/trainer.ts";
import type { Snapshot } from "./keeper.ts";
import type { Position } from "./progress.ts";

/** What a run goes on from. */
export interface Resumed {
  readonly position: Position;
  /** The checkpoint's file. */
  readonly path: string;
  readonly manifest: Snapshot["manifest"];
  /** What the user should hear. */
  readonly notes: readonly string[];
}

/** Players whose states are worth keeping at a stage: those of it and of the stages before. */
export function playersUpTo(trainer: Trainer, stage: number): Player<unknown>[] {
  const begun = trainer.method.stages.slice(0, stage + 1);
  const roles = new Set(begun.flatMap((each) => rolesOf(trainer.method, each)));
  return Object.values(trainer.players).filter(({ name }) => roles.has(name));
}

/**
 * Gives a trainer the states of the furthest sound checkpoint in a run's folder.
 * @throws CheckpointError when there is none, OptionError when the config is that of another run or has fewer steps than are done
 */
export async function resumeFrom(
  folder: RunFolder,
  files: FileSystem,
  trainer: Trainer,
  config: RunConfig,
): Promise<Resumed> {
  const { value, passedOver } = await newestSound(files, folder.checkpoint, async ({ path, manifest, states }) => {
    const changes = checkChanges(manifest.config, config, folder.path);
    const position = positionOf(manifest, trainer.method, folder.path);
    await trainer.restore(
      playersUpTo(trainer, position.stage),
      trainer.method.stages[position.stage],
      manifest,
      states,
    );
    return { position, path, manifest, changes };
  });
  const { position, path, manifest, changes } = value;
  const { stages } = trainer.method;
  const [first] = passedOver;
  const notes = first ? [`${first.message}; goes on from ${path}`, ...changes] : changes;
  return { position, path, manifest: { ...manifest, stages, stage: stages[position.stage].name }, notes };
}

/** Where a checkpoint stands among the stages of a method, which must have the steps that are done. */
export function positionOf(
  { stage, step, turn, stages: then }: Manifest,
  { name, stages }: Method,
  path: string,
): Position {
  const place = stage === DONE ? stages.length - 1 : stages.findIndex((each) => each.name === stage);
  if (place < 0) {
    const names = stages.map((each) => each.name).join(", ");
    throw failure(
      "E_CHECKPOINT",
      `Cannot resume: the checkpoint is of stage "${stage}", the method ${name} has ${names}`,
      { fix: "go on with the method of the run, or start another run in a folder of its own" },
    );
  }
  for (const [i, { name: each, steps }] of stages.slice(0, place + 1).entries()) {
    const over = i < place ? then?.find((known) => known.name === each)?.steps : undefined;
    const done = i < place ? (over ?? steps) : step;
    if (over !== undefined ? steps !== done : steps < done)
      throw failure(
        "E_OPTION",
        `Cannot resume ${path}: stage "${each}" should have ${steps} steps, ${i < place ? `it was over after ${done}` : `${done} are done`}`,
        { fix: `leave its steps as they were, or start another run in a folder of its own` },
      );
  }
  return { stage: place, step, turn };
}
