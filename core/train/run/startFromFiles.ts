import type { FileSystem } from "../../io/files.ts";
import type { ResolvedConfig } from "../config/config.ts";
import { type OpenWeights, readStartWeights } from "../files/startWeights.ts";
import { joining } from "../update/roles.ts";
import type { Trainer } from "../update/trainer.ts";

/** Reads the files of `start` for a trainer, except for roles that a checkpoint holds already. */
export async function startFromFiles(
  trainer: Trainer,
  { config, settings: { seed } }: ResolvedConfig,
  held: readonly string[],
  files: FileSystem | undefined,
  open?: OpenWeights,
): Promise<void> {
  const { players, method } = trainer;
  const begins = Object.assign({}, ...[...method.stages].reverse().map((stage) => stage.begins));
  // A file may be of the folder that the run replaces: those who join later have theirs read now.
  const atOnce = joining(method, method.stages[0]);
  const start = Object.entries(config.start ?? {}).filter(([role]) => !held.includes(role));
  trainer.startFrom(await readStartWeights(Object.fromEntries(start), { players, begins, seed, files, atOnce, open }));
}
