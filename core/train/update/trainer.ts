import type { Resolver } from "../../di/resolver.ts";
import { failure, suggestion } from "../../errors.ts";
import { AVERAGES } from "../../interfaces/average.ts";
import type { Backend, Memory } from "../../interfaces/backend.ts";
import { BALANCERS } from "../../interfaces/balancer.ts";
import type { Dataset } from "../../interfaces/dataset.ts";
import { LOSSES, type Loss } from "../../interfaces/loss.ts";
import { METHOD, type Method, type Stage, type Turn } from "../../interfaces/method.ts";
import { OPTIMIZERS } from "../../interfaces/optimizer.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { TurnFeeds } from "../batch/turnFeed.ts";
import { allocateKept, keptStates } from "../batch/turnImages.ts";
import type { TrainSettings } from "../config/trainOptions.ts";
import type { Manifest, StateSource, StoredState } from "../files/checkpoint.ts";
import { OpenedWeights, type StartWeights } from "../files/startWeights.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Scalars } from "../loop/events.ts";
import { Pacing } from "../loop/pacing.ts";
import { runSchedule, type TurnAt } from "../loop/schedule.ts";
import { ALONE, type Ranks } from "../ranks/ranks.ts";
import { type ComputePart, SharedBatch } from "../ranks/sharedBatch.ts";
import { Diagnoser } from "./diagnoser.ts";
import { storeFrozenWeights } from "./frozenWeights.ts";
import { checkKept, keptIn } from "./keptWeights.ts";
import type { Moment } from "./leftOut.ts";
import { type NamedTensors, Player } from "./player.ts";
import { scalingOf, storageOn } from "./precision.ts";
import { describeNode, UpdateProbe } from "./probe.ts";
import { baseOf, joining, learnersOf, numbersOf, rolesOf } from "./roles.ts";
import { scalarsOf } from "./scalarsOf.ts";
import { Traces } from "./traces.ts";
import type { TrainerOptions, TrainRequest } from "./trainRequest.ts";
import { activeLosses, type Players } from "./turnContext.ts";
import { GATHERED_KEEP, IMAGES_KEEP, type TurnProgram, VERDICT, weightName } from "./turnProgram.ts";
import { TurnPrograms } from "./turnPrograms.ts";
import { type UpdateInputs, updateInputs } from "./updateInputs.ts";
import { UpdateWatch } from "./updateWatch.ts";
import { HALTED } from "./verdict.ts";
import { weightScalars } from "./weightReadings.ts";

/**
 * Carries out the stages of a method. Holds the players and the compiled programs; the alternation is the schedule's, the
 * mathematics the plugins'.
 */
export class Trainer {
  readonly method: Method;
  readonly players: Players;
  readonly memory: Memory;
  readonly traces: Traces;
  /** The processes that share its batches. */
  readonly ranks: Ranks;
  readonly #shared: SharedBatch;
  readonly #backend: Backend;
  readonly #dataset: Dataset;
  readonly #settings: TrainSettings;
  readonly #bus: EventBus;
  readonly #losses: readonly Loss[];
  readonly #programs: TurnPrograms;
  readonly #inputs: UpdateInputs;
  readonly #diagnoser: Diagnoser;
  readonly #watch: UpdateWatch;
  #startWeights: StartWeights = {};
  /** Factors of losses that commands have changed, by name. */
  readonly changedWeights: Map<string, number> = new Map();
  /** How often the run has gone back to a checkpoint; each halves the learning rates. */
  rollbacks = 0;
  /** Which turns of the stage that is on, or comes next, are taken, where some wait. */
  #pacing: { readonly stage: string; readonly pacing: Pacing } | undefined;
  /** Updates that were left out because they were not finite, by role. */
  leftOut: Readonly<Record<string, number>> = {};

  constructor(
    container: Resolver,
    backend: Backend,
    dataset: Dataset,
    bus: EventBus,
    settings: TrainSettings,
    { draws, traces = new Traces(), ranks = ALONE }: TrainerOptions = {},
  ) {
    this.method = container.get(METHOD);
    this.traces = traces;
    this.ranks = ranks;
    this.#backend = backend;
    this.#dataset = dataset;
    this.#settings = settings;
    this.#bus = bus;
    this.#losses = container.all(LOSSES);
    const balancers = container.all(BALANCERS);
    if (balancers.length > 0 && !settings.diagnoseEvery)
      throw failure(
        "E_CONFIG",
        "Cannot balance losses: train.diagnoseEvery is 0, balancers need a look every few steps",
        { fix: "set train.diagnoseEvery=50" },
      );
    this.memory = backend.createMemory();
    this.#watch = new UpdateWatch({
      policy: this.#nonFinite,
      ahead: backend.runsAhead ?? 0,
      tell: (update) => {
        const { role, policy } = update;
        // The checkpoint of a run that it ends lies before it.
        if (policy !== "stop") this.leftOut = { ...this.leftOut, [role]: (this.leftOut[role] ?? 0) + 1 };
        bus.emit("role/left-out", update);
      },
    });
    const { roles, stages } = this.method;
    const players: Record<string, Player<unknown>> = {};
    const playerOf = (name: string): Player<unknown> => {
      const base = baseOf(this.method, name);
      const learning = stages.filter((stage) => learnersOf(stage).has(name));
      players[name] ??= new Player(name, roles[name], this.memory, {
        base: base === undefined ? undefined : playerOf(base),
        optimizer: container.all(OPTIMIZERS).find((entry) => entry.role === name),
        averages: container.all(AVERAGES).filter((entry) => entry.role === name),
        storage: storageOn(backend, settings, name),
        keptIn: keptIn(settings.weights?.[name]),
        lossScaling: scalingOf(
          settings,
          learning.flatMap((stage) => rolesOf(this.method, stage)),
        ),
      });
      return players[name];
    };
    this.players = Object.fromEntries(Object.keys(roles).map((name) => [name, playerOf(name)]));
    checkKept(this.players, settings.weights);
    for (const { batch, cycle } of stages)
      if (cycle.flat().some(({ keeps }) => keeps)) allocateKept(this.memory, dataset.shape, batch, this.#drawnNumbers);
    storeFrozenWeights(this.memory, this.#losses);
    const { method, memory } = this;
    const parts = settings.accumulate ?? 1;
    this.#shared = new SharedBatch(ranks, memory, parts);
    this.#inputs = updateInputs({ method, dataset, losses: this.#losses, seed: settings.seed, parts, draws });
    this.#programs = new TurnPrograms({
      method,
      players: this.players,
      losses: this.#losses,
      data: dataset.shape,
      settings,
      draws,
      ranks,
      backend,
      memory,
      traces,
    });
    this.#diagnoser = new Diagnoser({
      programs: this.#programs,
      inputs: this.#inputs,
      bus,
      maker: method.maker,
      ranks,
      balancers,
      weights: () => Object.fromEntries(this.#losses.map((loss) => [loss.name, this.#weightOf(loss)])),
      setWeight: (loss, weight) => this.setWeight(loss, weight),
    });
  }

  /** Weights of files, by role: each takes the place of what its role would start from when it joins. */
  startFrom(weights: StartWeights): void {
    this.#startWeights = weights;
  }

  /** Gives the roles of a stage the weights that it begins with: a file's, another role's, or the seed's. */
  async begin(stage: Stage): Promise<void> {
    const { seed } = this.#settings;
    const begins = new Map(Object.entries(stage.begins ?? {}));
    for (const name of joining(this.method, stage)) {
      const given = this.#startWeights[name];
      if (given instanceof OpenedWeights) await this.players[name].stream(given.sources, given.from);
      else if (given) this.players[name].load(given);
      else if (!begins.has(name)) this.players[name].initialise(seed);
      if (given) begins.delete(name);
    }
    const served = new Map<string, NamedTensors>();
    for (const [name, source] of begins)
      if (!served.has(source) && this.players[name].takesFrom(this.players[source]))
        served.set(source, await this.players[source].read("served"));
    for (const [name, source] of begins) this.players[name].initialise(seed, served.get(source));
  }

  /** Runs one stage from `start`; resolves with the step that would come next. */
  async train(
    stage: Stage,
    { start = 0, startTurn, end, control, before, beforeStep, obey }: TrainRequest = {},
  ): Promise<number> {
    const feeds = new TurnFeeds(this.#shared.own, (at) =>
      this.#inputs(stage, at, this.#programs.traced(stage, at.turn).reads),
    );
    this.pace(stage, this.pacingAt(stage, { step: start, place: startTurn ?? 0 }));
    const next = await runSchedule({
      stage,
      pacing: this.#pacing?.pacing,
      bus: this.#bus,
      start,
      startTurn,
      end,
      control,
      before: beforeStep,
      update: async (at, next) => {
        await before?.(at);
        return this.#update(stage, feeds, at, next);
      },
      agree: this.ranks.several
        ? { leads: this.ranks.leads, take: (commands) => this.ranks.anyTold(commands) }
        : undefined,
      obey: async (command, step) => {
        if (command.type === "set-weight") this.setWeight(command.loss, command.weight);
        await obey?.(command, step);
      },
    });
    await this.settled();
    return next;
  }

  /** Numbers that generated images draw. */
  get #drawnNumbers() {
    const { maker, roles } = this.method;
    return maker === undefined ? undefined : numbersOf(roles[maker]);
  }

  #kept(batch: number) {
    return keptStates(this.#dataset.shape, batch, this.#drawnNumbers);
  }

  /** Those that are there. */
  #keptNow(batch: number) {
    return this.#kept(batch).filter(({ name }) => this.memory.has(name));
  }

  /** Waits for the updates that were started. @throws Divergence when one of them ends the run */
  settled(): Promise<void> {
    return this.#watch.settle();
  }

  /**
   * What a run needs to go on at a moment of a stage: the states of players, and where some turns of a step are done, the images
   * that they have kept for the others.
   */
  sources(players: readonly Player<unknown>[], { batch }: Stage, turn = 0): readonly StateSource[] {
    const kept = turn > 0 ? this.#keptNow(batch) : [];
    return [
      ...players.flatMap(({ sources }) => sources),
      ...kept.map((state) => ({ ...state, read: () => this.memory.read(state.name) })),
    ];
  }

  /** Before `sources` within a step: brings the images together that ranks have kept. */
  async gatherKept({ batch }: Stage): Promise<void> {
    await this.#shared.gatherImages(this.#keptNow(batch));
  }

  /**
   * The reverse, from a checkpoint.
   * @throws E_CONFIG when states are missing or of another size; then nothing is written
   */
  async restore(
    players: readonly Player<unknown>[],
    stage: Stage,
    { updates, weights, turn = 0, rollbacks = 0, leftOut = {}, pacing }: Manifest,
    states: Readonly<Record<string, StoredState>>,
  ): Promise<void> {
    const { batch } = stage;
    const kept = turn > 0 ? this.#kept(batch).filter(({ name }) => Object.hasOwn(states, name)) : [];
    const wrong = kept.find(({ name, length }) => states[name].length !== length);
    if (wrong)
      throw failure(
        "E_CONFIG",
        `Cannot go on within a step: ${wrong.name} has ${states[wrong.name].length} elements, a batch of ${batch} has ${wrong.length}`,
        { fix: "go on with the train.batch that the run had" },
      );
    for (const player of players) {
      await player.restore(states);
      player.updates = updates[player.name] ?? 0;
    }
    for (const { name, length, dtype } of kept) {
      this.memory.allocate(name, length, dtype);
      this.memory.write(name, await states[name].read());
    }
    for (const [loss, weight] of Object.entries(weights)) this.changedWeights.set(loss, weight);
    this.pace(stage, pacing);
    this.rollbacks = rollbacks;
    this.leftOut = leftOut;
    this.goOn();
  }

  /** Lets updates change the states again, after one that ended the run, from wherever these are now. */
  goOn(): void {
    this.#watch.reset();
    if (this.memory.has(HALTED)) this.memory.write(HALTED, new Float32Array(1));
  }

  get #nonFinite() {
    return this.#settings.nonFinite ?? "stop";
  }

  /** What a run needs to know of turns that wait, to go on before a turn of a stage; nothing where none does. */
  pacingAt({ name }: Stage, at: Moment): Pacing["state"] | undefined {
    return this.#pacing?.stage === name ? this.#pacing.pacing.before(at) : undefined;
  }

  /** The reverse. */
  pace(stage: Stage, state?: Pacing["state"]): void {
    const waits = stage.cycle.flat().some((turn) => turn.waits);
    this.#pacing = waits ? { stage: stage.name, pacing: new Pacing(stage, state) } : undefined;
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

  /** Compiles the programs of a stage, so that its first step is not slow, and drops those of other stages. */
  prepare(stage: Stage): Promise<void> {
    return this.#programs.prepare(stage);
  }

  /** The program of a turn, perhaps not yet compiled. */
  traced(stage: Stage, turn: Turn): TurnProgram {
    return this.#programs.traced(stage, turn);
  }

  async #update(stage: Stage, feeds: TurnFeeds, at: TurnAt, next?: TurnAt): Promise<Scalars> {
    const { turn, step } = at;
    const { diagnoseEvery = 0 } = this.#settings;
    const { run, applyRun, weights, scalars, outputs, gathers } = await this.#programs.compiled(stage, turn);
    const numbers = this.#numbers(stage, at);
    const feed = feeds.of(at);
    if (diagnoseEvery > 0 && step % diagnoseEvery === 0) await this.#diagnoser.look(stage, at, numbers);
    const compute: ComputePart = async (round, keeps, onState) => {
      const inputs = await feed.take(this.#shared.own[round]);
      feeds.fetchAhead(feed, round + 1, next);
      const keep = { [GATHERED_KEEP]: Number(keeps), [IMAGES_KEEP]: Number(round > 0) };
      await run.run({ ...inputs, scalars: scalars.encode({ ...numbers, ...keep }) }, onState);
    };
    await this.#shared.gather(gathers, at, compute);
    const last = applyRun ?? run;
    if (applyRun) await applyRun.run({ scalars: scalars.encode({ ...numbers, [GATHERED_KEEP]: 1, [IMAGES_KEEP]: 1 }) });
    const player = this.players[turn.role];
    player.updates++;
    const losses = { ...scalarsOf(last, outputs), ...weightScalars(weights) };
    await this.#watch.started({
      stage,
      at,
      player,
      terms: activeLosses(this.#losses, turn.role).map(({ name }) => name),
      bits: last.read(VERDICT).then(([bits]) => bits),
      // The others go on when it has been told.
      origin: () => this.ranks.led(() => this.#origin(stage, at, numbers)),
    });
    return losses;
  }

  /** Looks at all values of an update that comes next, or that changed nothing. */
  probe(stage: Stage, at: TurnAt, numbers: Readonly<Record<string, number>> = this.#numbers(stage, at)): UpdateProbe {
    return new UpdateProbe(this.#programs.definition(stage, at.turn), {
      backend: this.#backend,
      memory: this.memory,
      inputs: (reads) => this.#inputs(stage, at, reads),
      numbers,
    });
  }

  /** Where an update that was left out went wrong, in words; undefined where that can't be told. */
  async #origin(...update: Parameters<Trainer["probe"]>): Promise<string | undefined> {
    try {
      const found = await this.probe(...update).origin();
      return found && `${describeNode(found.probed)}, ${found.count} of ${sizeOf(found.probed.node.shape)} elements`;
    } catch {
      // It needs memory that the device may not have; what was found before stands without it.
      return undefined;
    }
  }

  /** The numbers of an update, by the names under which its programs ask for them: rates, averages, weights of losses. */
  #numbers({ steps, batch }: Stage, { turn, step }: TurnAt): Record<string, number> {
    const { updates, optimizer, averages } = this.players[turn.role];
    const numbers: Record<string, number> = {
      ...optimizer!.scalars({ update: updates, step, steps, factor: 0.5 ** this.rollbacks }),
    };
    for (const { keep, average } of averages) numbers[keep] = average.keep(updates, batch);
    for (const loss of this.#losses) numbers[weightName(loss)] = this.#weightOf(loss);
    return numbers;
  }

  #weightOf({ name, weight }: Loss): number {
    return this.changedWeights.get(name) ?? weight;
  }

  dispose(): void {
    this.#programs.dispose();
    this.memory.dispose();
  }
}
