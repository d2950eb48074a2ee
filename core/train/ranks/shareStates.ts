import type { HostArray } from "../../interfaces/backend.ts";
import type { Stage } from "../../interfaces/method.ts";
import type { Pacing } from "../loop/pacing.ts";
import type { Moment } from "../update/leftOut.ts";
import type { Player } from "../update/player.ts";
import type { Trainer } from "../update/trainer.ts";

/** Of a trainer, besides its states on the device, what a run goes on from. */
interface Counts {
  readonly updates: Readonly<Record<string, number>>;
  readonly weights: readonly (readonly [string, number])[];
  readonly rollbacks: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly pacing?: Pacing["state"];
}

/**
 * Gives all ranks what rank 0 has in these players to go on at a moment of a stage, with the images kept in a step of which some turns
 * are done.
 */
export async function shareStates(
  trainer: Trainer,
  players: readonly Player<unknown>[],
  stage: Stage,
  at: Moment,
): Promise<void> {
  const { ranks, memory, changedWeights, rollbacks, leftOut } = trainer;
  if (!ranks.several) return;
  const { updates, ...counts } = await ranks.told<Counts>({
    updates: Object.fromEntries(players.map(({ name, updates }) => [name, updates])),
    weights: [...changedWeights],
    rollbacks,
    leftOut,
    pacing: trainer.pacingAt(stage, at),
  });
  const sources = trainer.sources(players, stage, at.place);
  if (!ranks.leads) {
    for (const player of players) player.updates = updates[player.name];
    for (const [loss, weight] of counts.weights) changedWeights.set(loss, weight);
    Object.assign(trainer, { rollbacks: counts.rollbacks, leftOut: counts.leftOut });
    trainer.pace(stage, counts.pacing);
    trainer.goOn();
  }
  for (const { name, length, dtype, read } of sources) {
    const numbers: HostArray = ranks.leads ? await read() : new (dtype === "i32" ? Int32Array : Float32Array)(length);
    await ranks.share(numbers);
    if (!ranks.leads) memory.write(name, numbers);
  }
}
