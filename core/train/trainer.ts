import type { Resolver } from "../di/resolver.ts";
import { failure, suggestion } from "../errors.ts";
import { AVERAGES } from "../interfaces/average.ts";
import type { Backend, Executable, HostArray, Memory } from "../interfaces/backend.ts";
import { CRITIC } from "../interfaces/critic.ts";
import { DATA_SHAPE, type Dataset } from "../interfaces/dataset.ts";
import type { Denoiser } from "../interfaces/denoiser.ts";
import { GENERATOR } from "../interfaces/generator.ts";
import { LOSSES, type Loss } from "../interfaces/loss.ts";
import { OPTIMIZERS } from "../interfaces/optimizer.ts";
import type { Role, RoleName } from "../interfaces/role.ts";
import { TEACHER } from "../interfaces/teacher.ts";
import { hostRandom } from "../random/hostRandom.ts";
import { keyOf } from "../random/philox.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { EventBus } from "./bus.ts";
import type { Command, Control } from "./control.ts";
import type { Scalars } from "./events.ts";
import {
  AVERAGE_KEEP,
  GRADIENT_NORM,
  type PhaseProgram,
  type Players,
  phaseProgram,
  STORED,
  weightName,
} from "./phaseProgram.ts";
import { Player } from "./player.ts";
import { alternating, type Phase, runSchedule, teacherOnly } from "./schedule.ts";

/** Numbers of a run that belong to no plugin. */
export interface TrainSettings {
  /** Every random draw of the run follows from it; 0 … 2⁵³−1. */
  readonly seed: number;
  /** Critic updates. */
  readonly steps: number;
  /** Images an update sees. */
  readonly batch: number;
  /** TTUR ratio; 5 in the DMD2 paper. */
  readonly criticStepsPerGeneratorStep: number;
  readonly teacher: { readonly steps: number; readonly batch: number };
}

/** The two stages of a run. */
export type Stage = "teacher" | "distillation";

/** A traced update, compiled when its stage begins. */
interface PreparedPhase extends PhaseProgram {
  run?: Executable;
}

/** How often the losses are checked for NaN and infinity, in steps, and the last; each check waits for the device. */
const HEALTH_INTERVAL = 50;
const BATCH_STREAM = 1;

/**
 * Trains the teacher, then distils it. Holds the players and the compiled programs; the alternation is the schedule's, the
 * mathematics the plugins'.
 */
export class Trainer {
  readonly players: Players;
  readonly memory: Memory;
  readonly #backend: Backend;
  readonly #dataset: Dataset;
  readonly #settings: TrainSettings;
  readonly #bus: EventBus;
  readonly #losses: readonly Loss[];
  readonly #programs = new Map<string, PreparedPhase>();
  /** Factors of losses that commands have changed, by name. */
  readonly changedWeights: Map<string, number> = new Map();

  constructor(
    container: Resolver,
    backend: Backend,
    dataset: Dataset,
    bus: EventBus,
    settings: TrainSettings,
  ) {
    this.#backend = backend;
    this.#dataset = dataset;
    this.#settings = settings;
    this.#bus = bus;
    this.#losses = container.all(LOSSES);
    this.memory = backend.createMemory();
    const player = <T>(name: RoleName, role: Role<T>): Player<T> => {
      const optimizer = container.all(OPTIMIZERS).find((entry) => entry.role === name);
      const average = container.all(AVERAGES).find((entry) => entry.role === name);
      return new Player(name, role, this.memory, { optimizer, average });
    };
    const shape = container.get(DATA_SHAPE);
    this.players = {
      teacher: player<Denoiser>("teacher", container.get(TEACHER)),
      ...(container.has(GENERATOR)
        ? { generator: player("generator", container.get(GENERATOR)) }
        : {}),
      ...(container.has(CRITIC) ? { critic: player("critic", container.get(CRITIC)) } : {}),
    };
    this.memory.allocate(STORED.x, settings.batch * sizeOf(shape.sample));
    if (shape.classes) this.memory.allocate(STORED.label, settings.batch, "i32");
    this.players.teacher.initialise(settings.seed);
  }

  /** Gives generator and critic their starting weights: the teacher's where they inherit, else the seed's. */
  async startDistillation(): Promise<void> {
    const { teacher, generator, critic } = this.players;
    const source = await teacher.read("served");
    generator?.initialise(this.#settings.seed, source);
    critic?.initialise(this.#settings.seed, source);
  }

  /** Runs one stage from `start`; resolves with the step that would come next. */
  async train(stage: Stage, { start = 0, control, obey }: TrainRequest = {}): Promise<number> {
    const { steps, teacher, criticStepsPerGeneratorStep: ratio } = this.#settings;
    const carryOut = async (command: Command, step: number) => {
      if (command.type === "set-weight") this.setWeight(command.loss, command.weight);
      await obey?.(command, step);
    };
    const common = { bus: this.#bus, start, control, obey: carryOut };
    if (stage === "teacher")
      return runSchedule({
        ...common,
        phasesAt: teacherOnly,
        update: { teacher: (step) => this.#update("teacher", step, "fresh") },
        steps: teacher.steps,
      });
    const phasesAt = alternating(ratio);
    const generatorMovesAt = (step: number) => phasesAt(step).includes("generator");
    return runSchedule({
      ...common,
      phasesAt,
      update: {
        generator: (step) => this.#update("generator", step, "fresh"),
        // As in the official loop, the critic learns from the very images of the generator's turn.
        critic: (step) => this.#update("critic", step, generatorMovesAt(step) ? "stored" : "fresh"),
      },
      steps,
    });
  }

  /** Changes the factor of a loss from the next update on. A loss that started at 0 has no place in the graph. */
  setWeight(name: string, weight: number): void {
    const inUse = this.#losses.filter((loss) => loss.weight !== 0).map((loss) => loss.name);
    if (!inUse.includes(name))
      throw failure(
        "E_OPTION",
        `Cannot set the weight of loss "${name}": it is not one of ${inUse.join(", ")}${suggestion(name, inUse)}`,
      );
    this.changedWeights.set(name, weight);
  }

  /**
   * Traces all updates that a stage has, without the device.
   * @throws ShapeError or OptionError for losses that don't fit and parts that are missing.
   */
  trace(stage: Stage): void {
    for (const [phase, generated] of this.#phasesOf(stage)) this.#phase(phase, generated);
  }

  /** Compiles what a stage needs, so that the first step is not the slow one. */
  async prepare(stage: Stage): Promise<void> {
    for (const [phase, generated] of this.#phasesOf(stage)) await this.#compiled(phase, generated);
  }

  #phasesOf(stage: Stage): [Phase, "fresh" | "stored"][] {
    if (stage === "teacher") return [["teacher", "fresh"]];
    const alone = this.#settings.criticStepsPerGeneratorStep > 1;
    return [
      ["generator", "fresh"],
      ["critic", "stored"],
      ...(alone ? [["critic", "fresh"] as [Phase, "fresh"]] : []),
    ];
  }

  #phase(phase: Phase, generated: "fresh" | "stored"): PreparedPhase {
    const key = `${phase} ${generated}`;
    let prepared = this.#programs.get(key);
    if (!prepared) {
      prepared = phaseProgram({
        ...{ phase, generated, batch: this.#batchOf(phase), players: this.players },
        losses: this.#losses,
        data: this.#dataset.shape,
      });
      this.#programs.set(key, prepared);
    }
    return prepared;
  }

  async #compiled(phase: Phase, generated: "fresh" | "stored") {
    const prepared = this.#phase(phase, generated);
    const run = (prepared.run ??= await this.#backend.compile(prepared.program, this.memory));
    return { ...prepared, run };
  }

  #batchOf(phase: Phase): number {
    return phase === "teacher" ? this.#settings.teacher.batch : this.#settings.batch;
  }

  async #update(phase: Phase, step: number, generated: "fresh" | "stored"): Promise<Scalars> {
    const { run, scalars, readsReal, outputs } = await this.#compiled(phase, generated);
    const player = this.players[phase]!;
    const size = this.#batchOf(phase);
    const steps = phase === "teacher" ? this.#settings.teacher.steps : this.#settings.steps;
    const inputs: Record<string, HostArray> = {
      key: keyOf(this.#settings.seed, step),
      scalars: scalars.encode({
        ...player.optimizer!.scalars({ update: player.updates, step, steps }),
        [AVERAGE_KEEP]: player.average?.keep(player.updates, size) ?? 0,
        ...Object.fromEntries(
          this.#losses.map((loss) => [
            weightName(loss),
            this.changedWeights.get(loss.name) ?? loss.weight,
          ]),
        ),
      }),
    };
    if (readsReal) {
      const stream = BATCH_STREAM + (phase === "teacher" ? 0 : phase === "generator" ? 1 : 2);
      const real = this.#dataset.batch(size, hostRandom(this.#settings.seed, step, stream));
      inputs["real.x"] = real.x;
      if (this.#dataset.shape.classes) inputs["real.label"] = real.label;
    }
    await run.run(inputs);
    player.updates++;
    if (step % HEALTH_INTERVAL === 0 || step === steps - 1)
      await this.#checkHealth(run, phase, step, outputs);
    const read = (name: string) => run.read(name).then((values) => values[0]);
    return Object.fromEntries(outputs.map((name) => [name, { read: () => read(name) }]));
  }

  async #checkHealth(
    run: Executable,
    phase: Phase,
    step: number,
    outputs: readonly string[],
  ): Promise<void> {
    const values = await Promise.all(outputs.map(async (name) => (await run.read(name))[0]));
    const bad = outputs.flatMap((name, i) => {
      const what = name === GRADIENT_NORM ? "gradient norm" : `loss ${name}`;
      return Number.isFinite(values[i]) ? [] : [`${what} is ${values[i]}`];
    });
    if (bad.length)
      throw failure(
        "E_DIVERGED",
        `Cannot go on training the ${phase}: ${bad.join(", ")} at step ${step}, expected finite numbers`,
      );
  }

  dispose(): void {
    for (const { run } of this.#programs.values()) run?.dispose();
    this.#programs.clear();
    this.memory.dispose();
  }
}

/** How to run a stage. */
export interface TrainRequest {
  /** The first step; a resumed run starts at its checkpoint's. */
  readonly start?: number;
  readonly control?: Control;
  /** Carries out `checkpoint` between two steps. */
  readonly obey?: (command: Command, step: number) => Promise<void>;
}
