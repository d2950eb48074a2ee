import type { Stage } from "../../interfaces/method.ts";
import type { Health } from "../health/health.ts";
import { HealthProbe } from "../health/probe.ts";
import type { EventBus } from "../loop/bus.ts";
import { type Command, Control } from "../loop/control.ts";
import { SAMPLES } from "../sampling/previews.ts";
import type { Equipment } from "./equipment.ts";
import type { Progress } from "./progress.ts";
import type { Saver } from "./saver.ts";
import type { Selection } from "./selection.ts";

/** What a stage is run with. */
export interface StageRunnerRequest {
  readonly bus: EventBus;
  readonly equipment: Equipment;
  readonly progress: Progress;
  readonly saver: Saver;
  readonly health: Health;
  readonly selection: Selection;
  /** `train.sampleEvery` */
  readonly sampleEvery: number | undefined;
}

/** Runs one stage after the other, with all that happens between their steps: commands, checkpoints, pictures, readings. */
export class StageRunner {
  readonly #request: StageRunnerRequest;
  #control: Control | undefined;
  #stopping = false;
  /** Commands that arrived between two stages. */
  #waiting: Command[] = [];

  constructor(request: StageRunnerRequest) {
    this.#request = request;
  }

  /** Whether the run is to end. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Sends a command to the stage that is on; between two stages it waits for the next.
   * Of several processes, that of rank 0 is obeyed, for all of them.
   * @throws OptionError for a weight that is not a number from 0 on
   */
  send(command: Command): void {
    if (!this.#request.equipment.ranks.leads) return;
    if (command.type === "stop") this.#stopping = true;
    if (this.#control) this.#control.send(command);
    else this.#waiting.push(command);
  }

  /** Runs the stage that is on from where it stands; false when it was stopped. */
  async run(stage: Stage): Promise<boolean> {
    const { bus, equipment, progress, saver, health, selection, sampleEvery } = this.#request;
    const { backend, trainer, evaluation, dataset, ranks } = equipment;
    if (await ranks.told(this.#stopping)) return false;
    const { steps } = stage;
    const previews = evaluation.previews(stage, sampleEvery);
    const shown = evaluation.shownIn(stage);
    const judge = () => ranks.led(() => selection.judge(stage));
    const control = new Control(progress.orders.splice(0));
    this.#control = control;
    for (const command of this.#waiting.splice(0)) control.send(command);
    const ends = [
      bus.on("control/received", ({ step, command }) => {
        if (command.type === "set-weight") progress.orders.push({ step, command });
      }),
      bus.on("role/updated", () => {
        progress.midStep = true;
      }),
      bus.on("step/end", ({ step }) => {
        const done = step + 1;
        progress.midStep = false;
        progress.reach(done);
        if (done === steps) return;
        // Before the checkpoint, which then stands for a run that has done it.
        if (selection.isDue(done)) control.send({ type: "evaluate" });
        if (saver.keeper?.isDue(done)) control.send({ type: "checkpoint" });
        if (previews?.isDue(done)) control.send({ type: "sample" });
      }),
    ];
    let probe: HealthProbe | undefined;
    try {
      if (progress.position.step < steps) {
        await trainer.prepare(stage);
        if (ranks.leads) probe = await HealthProbe.create(backend, trainer, dataset, stage);
        // A run that was stopped here may have been stopped before it.
        if (selection.isDue(progress.position.step)) await judge();
      }
      const next = await trainer.train(stage, {
        start: progress.position.step,
        startTurn: progress.position.turn,
        control,
        async beforeStep(step) {
          await health.before(stage, step, probe);
          if (probe && step % probe.every === 0)
            bus.emit("device/read", { stage: stage.name, step, bytes: backend.liveBytes });
        },
        obey: async ({ type }, step) => {
          progress.reach(step);
          if (type === "evaluate") await judge();
          if (type === "checkpoint") await saver.save();
          if (type === "sample" && shown && ranks.leads)
            await evaluation.draw(shown, { count: previews?.count ?? SAMPLES }, progress.stepOf(shown));
        },
      });
      progress.reach(next);
      if (next >= steps && selection.isOn) await judge();
      return next >= steps;
    } finally {
      for (const end of ends) end();
      probe?.dispose();
      this.#control = undefined;
      this.#waiting.push(...control.take(steps));
    }
  }
}
