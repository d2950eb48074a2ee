import type { OnestepError } from "../../errors.ts";
import type { RunFolder } from "../files/runFolder.ts";
import type { EventBus } from "../loop/bus.ts";
import type { TrainEvents } from "../loop/events.ts";
import { shareStates } from "../ranks/shareStates.ts";
import { Divergence, type LeftOut, whatIsIn } from "../update/leftOut.ts";
import { Traces } from "../update/traces.ts";
import { composeRun } from "./compose.ts";
import type { DeviceLosses } from "./deviceLosses.ts";
import type { Equipment } from "./equipment.ts";
import type { Progress } from "./progress.ts";
import type { RunRequest } from "./request.ts";
import { playersUpTo, resumeFrom } from "./resume.ts";
import type { Saver } from "./saver.ts";
import { startFromFiles } from "./startFromFiles.ts";

/** How often a run goes back: with an eighth of its learning rates, something else is wrong. */
const MOST_ROLLBACKS = 3;

/** What a recovery works on. */
export interface RecoveryRequest {
  readonly request: RunRequest;
  readonly folder: RunFolder | undefined;
  readonly equipment: Equipment;
  readonly progress: Progress;
  readonly saver: Saver;
  readonly losses: DeviceLosses;
  readonly bus: EventBus;
}

/** Brings a run to where it can go on: at its start, before an update that was not finite, and after a loss of the device. */
export class Recovery {
  readonly #parts: RecoveryRequest;
  /** Updates before which this process has gone back, or wanted to. */
  readonly #leftOut: LeftOut[] = [];

  constructor(parts: RecoveryRequest) {
    this.#parts = parts;
  }

  /**
   * Gives the roles their first weights, those of files among them, or the states of the newest checkpoint.
   * @returns what the user should hear
   */
  async start(resumes = false): Promise<readonly string[]> {
    const { request, equipment, progress } = this.#parts;
    const { resolved, output, data = {}, openWeights } = request;
    const { trainer } = equipment;
    const notes = resumes ? await this.#resume() : [];
    const held = resumes ? playersUpTo(trainer, progress.position.stage).map(({ name }) => name) : [];
    await startFromFiles(trainer, resolved, held, output?.files ?? data.files, openWeights);
    if (!resumes) await trainer.begin(progress.stage);
    return notes;
  }

  async #resume(): Promise<readonly string[]> {
    const { folder, saver } = this.#parts;
    await folder!.clearDrafts();
    const { notes, path, manifest } = await this.#goBack();
    saver.open().resumed(path, manifest);
    return notes;
  }

  async #goBack() {
    const { request, folder, equipment, progress } = this.#parts;
    const { output, resolved } = request;
    const found = await resumeFrom(folder!, output!.files, equipment.trainer, resolved.config);
    progress.position = found.position;
    return found;
  }

  /**
   * Goes back to the newest checkpoint, or without one to before the update that was not finite, to go on from there with half the
   * learning rates: with the same ones it would come to the same, as all draws are repeated.
   * @throws the error itself where the config says otherwise, or this has not helped
   */
  async rollBack(error: unknown): Promise<void> {
    if (!(error instanceof Divergence) || error.update.policy !== "rollback") throw error;
    const { equipment, progress, saver, bus } = this.#parts;
    const { trainer, ranks } = equipment;
    const { leftOut } = trainer;
    this.#leftOut.push(error.update);
    if (trainer.rollbacks >= MOST_ROLLBACKS) throw this.#givenUp(error, trainer.rollbacks);
    const rollbacks = trainer.rollbacks + 1;
    if (await ranks.told(saver.keeper?.newest !== undefined))
      await ranks.led(async () => {
        const { path, manifest } = await this.#goBack();
        saver.keeper!.resumed(path, manifest);
      });
    else {
      progress.standAt(error);
      if (progress.position.turn) await trainer.gatherKept(progress.stage);
      trainer.goOn();
    }
    Object.assign(trainer, { rollbacks, leftOut });
    await this.share();
    const { step } = progress.position;
    bus.emit("run/rolled-back", { stage: progress.stage.name, step, rate: 0.5 ** rollbacks });
  }

  /** Gives all ranks the states of rank 0, at whose place they go on. */
  async share(): Promise<void> {
    const { trainer, ranks } = this.#parts.equipment;
    const { progress } = this.#parts;
    progress.position = await ranks.told(progress.position);
    const { stage, step, turn } = progress.position;
    await shareStates(trainer, playersUpTo(trainer, stage), progress.stage, { step, place: turn ?? 0 });
  }

  /** To go back once more is of no use; where it always was the same, neither are lower learning rates. */
  #givenUp({ message, update, at }: Divergence, rollbacks: number): Divergence {
    const tried = `to go back ${rollbacks} times, each with half the learning rates, has not helped`;
    const steps = this.#leftOut.map(({ stage, step }) => `${step} of stage ${stage}`);
    const isAlways = this.#leftOut.every((each, i) => whatIsIn(each) === whatIsIn(update) && steps[i] === steps[0]);
    // One that was resumed knows of what came after that alone.
    if (steps.length === 1) return new Divergence(`${message}; ${tried}`, update, at);
    const why = isAlways
      ? `each time it was ${whatIsIn(update)} at step ${steps[0]}`
      : `it was ${this.#leftOut.map((each, i) => `${whatIsIn(each)} at step ${steps[i]}`).join(", then ")}`;
    return new Divergence(`${message}; ${tried}: ${why}`, update, at, isAlways);
  }

  /** Opens the device again and goes back to the newest checkpoint, or to the beginning. */
  async goOnAfter(lost: OnestepError): Promise<void> {
    const { request, equipment, progress, saver, losses, bus } = this.#parts;
    const { resolved, data = {}, output } = request;
    const at = { stage: progress.stage.name, step: progress.position.step };
    // What listeners still read is lost too, and what they still write must not meet the drafts being cleared.
    await bus.settled();
    await equipment.release();
    const backend = await losses.reopen(lost, equipment.backend.info);
    equipment.equip({ backend, container: await composeRun(resolved, backend, data, output) }, new Traces());
    const path = saver.keeper!.newest;
    progress.position = { stage: 0, step: 0 };
    const notes = await this.start(path !== undefined);
    progress.midStep = false;
    for (const note of notes) saver.warn(note);
    this.tellOf(lost, at, path);
  }

  /** @param at where it was lost, if not here */
  tellOf({ message: reason }: OnestepError, at?: TrainEvents["device/lost"]["lost"], path?: string): void {
    const { progress, bus } = this.#parts;
    const { step } = progress.position;
    const stage = progress.stage.name;
    bus.emit("device/lost", { stage, step, lost: at ?? { stage, step }, reason, path });
  }
}
