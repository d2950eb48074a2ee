import type { TrainEvents } from "../../core/train/mod.ts";

/** How many steps the two stages of a run have, as its first event tells. */
export function stagesOf({ steps, config }: TrainEvents["run/start"]): {
  readonly teacher: number;
  readonly distillation: number;
} {
  const { generator, train } = config as { generator?: object; train?: { steps?: number } };
  const distillation = generator ? (train?.steps ?? 0) : 0;
  return { teacher: steps - distillation, distillation };
}
