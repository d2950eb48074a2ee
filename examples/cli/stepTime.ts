import type { Stage } from "../../core/interfaces/mod.ts";
import { Control, type EventBus, type Trainer } from "../../core/train/mod.ts";

/** How long a step of a stage takes, on average. */
export interface StepTime {
  /** On the clock, in ms. */
  readonly ms: number;
  /** Of the processor, all threads of this process together, in ms: what other programs of a machine hardly change. */
  readonly cpuMs: number;
}

/** Trains a stage that has begun, some cycles at a time, to see how long its steps take; changes the trainer's states. */
export class StepTimer {
  readonly #trainer: Trainer;
  readonly #bus: EventBus;
  readonly #stage: Stage;
  #next = 0;

  constructor(trainer: Trainer, bus: EventBus, stage: Stage) {
    this.#trainer = trainer;
    this.#bus = bus;
    this.#stage = { ...stage, steps: Number.MAX_SAFE_INTEGER };
  }

  /** Steps of a cycle: whatever turns it has, all of them are in it. */
  get cycle(): number {
    return this.#stage.cycle.length;
  }

  async train(cycles: number): Promise<StepTime> {
    const control = new Control();
    const last = this.#next + cycles * this.cycle - 1;
    const off = this.#bus.on("step/end", ({ step }) => {
      if (step === last) control.send({ type: "stop" });
    });
    const [start, before] = [performance.now(), process.cpuUsage()];
    const first = this.#next;
    this.#next = await this.#trainer.train(this.#stage, { start: first, control });
    off();
    const { user, system } = process.cpuUsage(before);
    const steps = this.#next - first;
    return { ms: (performance.now() - start) / steps, cpuMs: (user + system) / 1000 / steps };
  }
}

/** CPU time (ms) in which engines have compiled what runs often, and in which a stage is looked at. */
const [WARM, LOOK] = [1000, 1000];

/**
 * Times a stage. The first cycle compiles, the second fills caches; small programs get faster for a while after that, as the engine
 * compiles them once more. Then the median of some cycles, in portions, which one slow moment does not move.
 */
export async function stepTime(trainer: Trainer, bus: EventBus, stage: Stage, cycles: number): Promise<StepTime> {
  const timer = new StepTimer(trainer, bus, stage);
  let spent = 0;
  for (let i = 0; i < 2 || (spent < WARM && i < 200); i++) {
    const { cpuMs } = await timer.train(1);
    // The first compiles, which is no sign of how long the others take.
    if (i > 0) spent += cpuMs * timer.cycle;
  }
  const times: StepTime[] = [];
  for (spent = 0; times.length < 3 || (spent < LOOK && times.length < 25); ) {
    const time = await timer.train(cycles);
    spent += time.cpuMs * timer.cycle * cycles;
    times.push(time);
    // Enough of a large network.
    if (spent > LOOK) break;
  }
  const middle = (key: keyof StepTime) => times.map((each) => each[key]).sort((x, y) => x - y)[times.length >> 1];
  return { ms: middle("ms"), cpuMs: middle("cpuMs") };
}
