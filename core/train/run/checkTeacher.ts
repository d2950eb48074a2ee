import type { Container } from "../../di/mod.ts";
import { LOSSES } from "../../interfaces/loss.ts";
import type { Stage } from "../../interfaces/method.ts";
import type { RunConfig } from "../config/config.ts";
import { teacherFingerprint } from "../files/fingerprint.ts";
import { learnersOf } from "../update/roles.ts";
import type { Trainer } from "../update/trainer.ts";

/** The role whose weights a loss on stored pairs was made for. */
const TEACHER = "teacher";

/** Whether the teacher is another one after a stage. */
export const changesTeacher = (stage: Stage): boolean => learnersOf(stage).has(TEACHER);

/** What should be said of roles whose weights others begin with: such as come from nowhere teach nothing. */
export function untrainedNotes({ method, players }: Trainer, { start = {} }: RunConfig): string[] {
  const learned = new Set<string>(Object.keys(start));
  const notes = new Set<string>();
  for (const stage of method.stages) {
    if (stage.steps === 0) continue;
    for (const source of Object.values(stage.begins ?? {}))
      if (!learned.has(source) && players[source].layout.count > 0)
        notes.add(`the ${source} has random weights: no earlier stage trains it, and start.${source} names no file`);
    for (const role of learnersOf(stage)) learned.add(role);
  }
  return [...notes];
}

/** Asks the losses that were made for one teacher whether it is this one. @throws E_PAIRS */
export async function checkTeacher(container: Container, trainer: Trainer, config: RunConfig): Promise<void> {
  const particular = container.all(LOSSES).filter(({ checkTeacher, weight }) => checkTeacher && weight !== 0);
  const teacher = trainer.players[TEACHER];
  if (particular.length === 0 || !teacher) return;
  const fingerprint = await teacherFingerprint(config, await teacher.read("served"));
  for (const loss of particular) loss.checkTeacher?.(fingerprint);
}
