import type { Resolver } from "../../di/resolver.ts";
import { failure, suggestion } from "../../errors.ts";
import { AVERAGES } from "../../interfaces/average.ts";
import type { Backend, Executable, Memory } from "../../interfaces/backend.ts";
import { BALANCERS, type Balancer } from "../../interfaces/balancer.ts";
import { CRITIC } from "../../interfaces/critic.ts";
import { DATA_SHAPE, type Dataset } from "../../interfaces/dataset.ts";
import type { Denoiser } from "../../interfaces/denoiser.ts";
import { GENERATOR } from "../../interfaces/generator.ts";
import { LOSSES, type Loss } from "../../interfaces/loss.ts";
import { OPTIMIZERS } from "../../interfaces/optimizer.ts";
import type { Role, RoleName } from "../../interfaces/role.ts";
import { TEACHER } from "../../interfaces/teacher.ts";
import { sizeOf } from "../../tensor/shape.ts";
import type { GivenDraws } from "../batch/givenDraws.ts";
import { TurnFeeds } from "../batch/turnFeed.ts";
import { STORED } from "../batch/turnImages.ts";
import { phaseInputs, phaseNumbers } from "../batch/turnInputs.ts";
import type { StartWeights } from "../files/startWeights.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Command, Control } from "../loop/control.ts";
import type { Scalars } from "../loop/events.ts";
import {
  alternating,
  type Phase,
  phasesAt,
  runSchedule,
  type Ttur,
  type Turn,
  teacherOnly,
} from "../loop/schedule.ts";
import { type DiagnosisProgram, diagnosisProgram } from "./diagnosis.ts";
import { checkHealth } from "./health.ts";
import { Player } from "./player.ts";
import { type PrecisionSettings, scalingOf, storageOn } from "./precision.ts";
import type { PhaseDefinition } from "./turnContext.ts";
import { GATHERED_KEEP, type PhaseProgram, type Players, phaseProgram } from "./turnProgram.ts";

/** Numbers of a run that belong to no plugin. */
export interface TrainSettings extends PrecisionSettings {
  /** Every random draw of the run follows from it; 0 … 2⁵³−1. */
  readonly seed: number;
  /** Critic updates. */
  readonly steps: number;
  /** Images an update sees. */
  readonly batch: number;
  /** Updates of critic and generator in a cycle; 5:1 in the DMD2 paper. */
  readonly ttur: Ttur;
  /** What the critic sees after the generator's turn: the images of that turn, or new ones. "shared" by default. */
  readonly criticImages?: "shared" | "fresh";
  /** Parts in which the gradient of a batch is gathered; 1 by default. */
  readonly accumulate?: number;
  /** Whether network blocks are computed again for the gradient, for less memory; "none" by default. */
  readonly checkpointing?: "none" | "blocks";
  /** Steps between two diagnoses; 0, the default, takes none. */
  readonly diagnoseEvery?: number;
  readonly teacher: { readonly steps: number; readonly batch: number };
}

/** The two stages of a run. */
export type Stage = "teacher" | "distillation";

/** A traced update, compiled when its stage begins. */
interface PreparedPhase extends PhaseProgram {
  run?: Executable;
  applyRun?: Executable;
}
interface PreparedDiagnosis extends DiagnosisProgram {
  run?: Executable;
}
type Made = "fresh" | "stored";

/** How often the losses are checked for NaN and infinity, in steps, and the last; each check waits for the device. */
const HEALTH_INTERVAL = 50;

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
  readonly #balancers: readonly Balancer[];
  readonly #programs = new Map<string, PreparedPhase>();
  readonly #diagnoses = new Map<string, PreparedDiagnosis>();
  readonly #draws: GivenDraws | undefined;
  readonly #feeds: TurnFeeds;
  #startWeights: StartWeights = {};
  /** Factors of losses that commands have changed, by name. */
  readonly changedWeights: Map<string, number> = new Map();

  constructor(
    container: Resolver,
    backend: Backend,
    dataset: Dataset,
    bus: EventBus,
    settings: TrainSettings,
    draws?: GivenDraws,
  ) {
    this.#draws = draws;
    this.#feeds = new TurnFeeds(settings.accumulate ?? 1, (turn) =>
      this.#inputs(turn, this.#phase(turn.phase, this.#madeFor(turn)).readsReal),
    );
    this.#backend = backend;
    this.#dataset = dataset;
    this.#settings = settings;
    this.#bus = bus;
    this.#losses = container.all(LOSSES);
    this.#balancers = container.all(BALANCERS);
    if (this.#balancers.length > 0 && !settings.diagnoseEvery)
      throw failure(
        "E_CONFIG",
        "Cannot balance losses: train.diagnoseEvery is 0, balancers need a look every few steps",
        { fix: "set train.diagnoseEvery=50" },
      );
    this.memory = backend.createMemory();
    const player = <T>(name: RoleName, role: Role<T>): Player<T> => {
      const optimizer = container.all(OPTIMIZERS).find((entry) => entry.role === name);
      const averages = container.all(AVERAGES).filter((entry) => entry.role === name);
      return new Player(name, role, this.memory, {
        optimizer,
        averages,
        storage: storageOn(backend, settings, name),
        lossScaling: scalingOf(settings, name),
      });
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

  /** Weights to start from in place of the seed's and the teacher's. The teacher has its own from now on. */
  startFrom({ teacher, ...others }: StartWeights): void {
    if (teacher) this.players.teacher.load(teacher);
    this.#startWeights = others;
  }

  /** Gives generator and critic their starting weights: those of a file, else the teacher's where they inherit, else the seed's. */
  async startDistillation(): Promise<void> {
    const { teacher, generator, critic } = this.players;
    const source = await teacher.read("served");
    for (const player of [generator, critic]) {
      const given = player && this.#startWeights[player.name];
      if (given) player.load(given);
      else player?.initialise(this.#settings.seed, source);
    }
    this.#startWeights = {};
  }

  /** Runs one stage from `start`; resolves with the step that would come next. */
  async train(stage: Stage, { start = 0, control, obey }: TrainRequest = {}): Promise<number> {
    const { steps, teacher, ttur } = this.#settings;
    const carryOut = async (command: Command, step: number) => {
      if (command.type === "set-weight") this.setWeight(command.loss, command.weight);
      await obey?.(command, step);
    };
    const common = { bus: this.#bus, start, control, obey: carryOut };
    const updateOf = (phase: Phase) => (step: number, next?: Turn) =>
      this.#update({ phase, step }, next);
    try {
      if (stage === "teacher")
        return await runSchedule({
          ...common,
          phasesAt: teacherOnly,
          update: { teacher: updateOf("teacher") },
          steps: teacher.steps,
        });
      return await runSchedule({
        ...common,
        phasesAt: alternating(ttur),
        update: { generator: updateOf("generator"), critic: updateOf("critic") },
        steps,
      });
    } finally {
      this.#feeds.forget();
    }
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

  /** Compiles what a stage needs, so that the first step is not the slow one; what the other needed makes room for it. */
  async prepare(stage: Stage): Promise<void> {
    const other = [...this.#programs].filter(
      ([key]) => key.startsWith("teacher") !== (stage === "teacher"),
    );
    for (const [, prepared] of other) releasePrograms(prepared);
    // In falling size, programs share the most memory.
    const size = ([phase, generated]: [Phase, Made]) =>
      this.#phase(phase, generated).program.plan.bytes;
    for (const [phase, generated] of this.#phasesOf(stage).sort((a, b) => size(b) - size(a))) {
      await this.#compiled(phase, generated);
      if (this.#settings.diagnoseEvery) await this.#diagnosis(phase, generated);
    }
  }

  /** As in the official loop, the critic learns from the very images of the generator's turn. */
  #madeFor({ phase, step }: Turn): Made {
    const { ttur } = this.#settings;
    const follows = phase === "critic" && phasesAt(step, ttur).includes("generator");
    return follows && this.#sharesImages ? "stored" : "fresh";
  }

  get #sharesImages(): boolean {
    return this.#settings.criticImages !== "fresh" && !this.#settings.ttur.exclusive;
  }

  #phasesOf(stage: Stage): [Phase, Made][] {
    if (stage === "teacher") return [["teacher", "fresh"]];
    const { critic, generator = 1 } = this.#settings.ttur;
    const phases: [Phase, Made][] = [["generator", "fresh"]];
    if (this.#sharesImages) phases.push(["critic", "stored"]);
    if (!this.#sharesImages || critic > generator) phases.push(["critic", "fresh"]);
    return phases;
  }

  #definition(phase: Phase, generated: Made): PhaseDefinition {
    return {
      phase,
      generated,
      batch: this.#batchOf(phase),
      players: this.players,
      losses: this.#losses,
      data: this.#dataset.shape,
      parts: this.#parts,
      recompute: this.#settings.checkpointing,
      noise: this.#draws?.source(phase, generated),
    };
  }

  #phase(phase: Phase, generated: Made): PreparedPhase {
    const key = `${phase} ${generated}`;
    let prepared = this.#programs.get(key);
    if (!prepared) {
      prepared = phaseProgram(this.#definition(phase, generated));
      this.#programs.set(key, prepared);
    }
    return prepared;
  }

  async #compiled(phase: Phase, generated: Made) {
    const prepared = this.#phase(phase, generated);
    for (const [name, size] of Object.entries(prepared.states)) this.memory.allocate(name, size);
    const run = (prepared.run ??= await this.#backend.compile(prepared.program, this.memory));
    if (prepared.apply)
      prepared.applyRun ??= await this.#backend.compile(prepared.apply, this.memory);
    return { ...prepared, run };
  }

  #batchOf(phase: Phase): number {
    return phase === "teacher" ? this.#settings.teacher.batch : this.#settings.batch;
  }
  get #parts(): number {
    return this.#settings.accumulate ?? 1;
  }

  async #update(turn: Turn, next: Turn | undefined): Promise<Scalars> {
    const { phase, step } = turn;
    const generated = this.#madeFor(turn);
    const { diagnoseEvery = 0 } = this.#settings;
    const { run, applyRun, scalars, outputs } = await this.#compiled(phase, generated);
    const player = this.players[phase]!;
    const steps = phase === "teacher" ? this.#settings.teacher.steps : this.#settings.steps;
    const numbers = this.#numbers(phase, step, steps);
    const feed = this.#feeds.of(turn);
    if (diagnoseEvery > 0 && step % diagnoseEvery === 0)
      await this.#diagnose(phase, step, generated);
    for (let part = 0; part < this.#parts; part++) {
      const inputs = await feed.take(part);
      this.#feeds.fetchAhead(feed, part + 1, next);
      await run.run({
        ...inputs,
        scalars: scalars.encode({ ...numbers, [GATHERED_KEEP]: part === 0 ? 0 : 1 }),
      });
    }
    const last = applyRun ?? run;
    if (applyRun)
      await applyRun.run({ scalars: scalars.encode({ ...numbers, [GATHERED_KEEP]: 1 }) });
    player.updates++;
    if (step % HEALTH_INTERVAL === 0 || step === steps - 1) await checkHealth(last, outputs, turn);
    return scalarsOf(last, outputs);
  }

  #numbers(phase: Phase, step: number, steps: number): Record<string, number> {
    return phaseNumbers(this.players[phase]!, this.#losses, {
      step,
      steps,
      batch: this.#batchOf(phase),
      changedWeights: this.changedWeights,
    });
  }

  #inputs({ phase, step }: Turn, readsReal: boolean) {
    return phaseInputs(this.#dataset, {
      phase,
      step,
      readsReal,
      seed: this.#settings.seed,
      losses: this.#losses,
      batch: this.#batchOf(phase),
      parts: this.#parts,
      given: this.#draws?.inputs(phase, step),
    });
  }

  async #diagnosis(phase: Phase, generated: Made) {
    const key = `${phase} ${generated}`;
    const made: PreparedDiagnosis =
      this.#diagnoses.get(key) ?? diagnosisProgram(this.#definition(phase, generated));
    this.#diagnoses.set(key, made);
    const run = (made.run ??= await this.#backend.compile(made.program, this.memory));
    return { ...made, run };
  }

  /** Looks inside the update that comes next, with its draws and its images, and tells the bus. */
  async #diagnose(phase: Phase, step: number, generated: Made): Promise<void> {
    const { run, ...made } = await this.#diagnosis(phase, generated);
    const weights = this.#numbers(phase, step, 1);
    await run.run({
      ...(await this.#inputs({ phase, step }, made.readsReal)(0)),
      scalars: made.scalars.encode(weights),
    });
    const values = scalarsOf(run, made.outputs);
    this.#bus.emit("phase/diagnosed", { step, phase, values });
    if (phase === "generator") await this.#rebalance(step, values);
  }

  async #rebalance(step: number, scalars: Scalars): Promise<void> {
    if (this.#balancers.length === 0) return;
    const read = Object.entries(scalars).map(async ([name, each]) => [name, await each.read()]);
    const values = Object.fromEntries(await Promise.all(read));
    for (const balancer of this.#balancers) {
      const weights = Object.fromEntries(
        this.#losses.map(({ name, weight }) => [name, this.changedWeights.get(name) ?? weight]),
      );
      for (const [loss, weight] of Object.entries(balancer.rebalance(values, weights))) {
        this.setWeight(loss, weight);
        this.#bus.emit("loss/reweighted", { step, loss, weight });
      }
    }
  }

  dispose(): void {
    for (const prepared of this.#programs.values()) releasePrograms(prepared);
    for (const { run } of this.#diagnoses.values()) run?.dispose();
    this.#programs.clear();
    this.#diagnoses.clear();
    this.memory.dispose();
  }
}

function releasePrograms(prepared: PreparedPhase): void {
  prepared.run?.dispose();
  prepared.applyRun?.dispose();
  prepared.run = undefined;
  prepared.applyRun = undefined;
}

const scalarsOf = (run: Executable, names: readonly string[]): Scalars =>
  Object.fromEntries(names.map((name) => [name, { read: async () => (await run.read(name))[0] }]));

/** How to run a stage. */
export interface TrainRequest {
  /** The first step; a resumed run starts at its checkpoint's. */
  readonly start?: number;
  readonly control?: Control;
  /** Carries out `checkpoint` between two steps. */
  readonly obey?: (command: Command, step: number) => Promise<void>;
}
