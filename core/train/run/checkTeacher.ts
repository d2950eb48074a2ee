import type { Container } from "../../di/mod.ts";
import { LOSSES } from "../../interfaces/loss.ts";
import type { Stage } from "../../interfaces/method.ts";
import type { RunConfig } from "../config/config.ts";
import { teacherFingerprint } from "../files/fingerprint.ts";
import type { Trainer } from "../update/trainer.ts";
import { learnersOf } from "../update/turnContext.ts";

/** The role whose weights a loss on stored pairs was made for. */
const TEACHER = "teacher";

/** Whether the teacher is another one after a stage. */
export const changesTeacher = (stage: Stage): boolean => learnersOf(stage).has(TEACHER);

/** Asks the losses that were made for one teacher whether it is this one. @throws E_PAIRS */
export async function checkTeacher(container: Container, trainer: Trainer, config: RunConfig): Promise<void> {
  const particular = container.all(LOSSES).filter(({ checkTeacher, weight }) => checkTeacher && weight !== 0);
  const teacher = trainer.players[TEACHER];
  if (particular.length === 0 || !teacher) return;
  const fingerprint = await teacherFingerprint(config, await teacher.read("served"));
  for (const loss of particular) loss.checkTeacher?.(fingerprint);
}
