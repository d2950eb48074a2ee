import type { Container } from "../../di/mod.ts";
import { OnestepError } from "../../errors.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { CACHE, type Cache } from "../../interfaces/cache.ts";
import { DATASET, type DataFolder, type Dataset } from "../../interfaces/dataset.ts";
import { METHOD, type Stage } from "../../interfaces/method.ts";
import { METRICS } from "../../interfaces/metric.ts";
import { MONITORS } from "../../interfaces/monitor.ts";
import { OBSERVERS, type Observer } from "../../interfaces/observer.ts";
import { PACE } from "../../interfaces/pace.ts";
import type { Claim, FileSystem } from "../../io/files.ts";
import { checkCounts, checkUsed } from "../config/checkPlugins.ts";
import type { ResolvedConfig } from "../config/config.ts";
import { type RunFolder, runFolder } from "../files/runFolder.ts";
import { Health } from "../health/health.ts";
import { HealthProbe } from "../health/probe.ts";
import type { HealthWarning } from "../health/warnings.ts";
import { EventBus } from "../loop/bus.ts";
import { type Command, Control, type RecordedCommand } from "../loop/control.ts";
import type { TrainEvents } from "../loop/events.ts";
import { Evaluation, type Judgement } from "../sampling/evaluation.ts";
import { SAMPLES } from "../sampling/previews.ts";
import type { Drawn } from "../sampling/sampleDrawer.ts";
import { Divergence } from "../update/leftOut.ts";
import { precisionNotice } from "../update/precision.ts";
import { learnersOf } from "../update/roles.ts";
import { Traces } from "../update/traces.ts";
import { Trainer } from "../update/trainer.ts";
import { checkFolder, checkSpace } from "./checkFolder.ts";
import { changesTeacher, checkTeacher, untrainedNotes } from "./checkTeacher.ts";
import { composeRun } from "./compose.ts";
import { DeviceLosses } from "./deviceLosses.ts";
import { CheckpointKeeper, type Snapshot } from "./keeper.ts";
import { withAllParts } from "./missingParts.ts";
import { runPace, unlessStopped } from "./pace.ts";
import { checkCapacity, planRun } from "./planRun.ts";
import { type Position, playersUpTo, resumeFrom } from "./resume.ts";
import { startFromFiles } from "./startFromFiles.ts";

/** What a run is made of. */
export interface RunRequest {
  readonly resolved: ResolvedConfig;
  readonly backend: Backend;
  readonly data?: DataFolder;
  /** Where results go; nothing is written when absent. */
  readonly output?: {
    readonly files: FileSystem;
    readonly path: string;
    /** Go on from the folder's last sound checkpoint, or replace the run in it. Otherwise a run in the folder is an error. */
    readonly existing?: "resume" | "replace";
  };
  readonly observers?: readonly Observer[];
  /**
   * Closes the backend and opens the same device again, after the loss of it: a run with an output then goes on from its newest
   * checkpoint. The new backend is the caller's to close as well. Without this, a loss ends the run.
   */
  readonly reopen?: () => Promise<Backend>;
  /** Keeps what takes long to make and later runs can use again, such as the classifier of a metric. */
  readonly cache?: Cache;
}

/** How a run ended. */
export interface RunResult {
  readonly reason: "complete" | "stopped";
  readonly judgements: readonly Judgement[];
  /** What the monitors of its health have found, in order. */
  readonly warnings: readonly HealthWarning[];
}

/**
 * A whole run: the stages of its method, then judgement, with its folder, events and checkpoints.
 *
 * ```ts
 * const run = await Run.create({ resolved: resolveConfig(config, registry), backend });
 * const { judgements } = await run.start();
 * ```
 */
export class Run {
  readonly bus: EventBus = new EventBus();
  readonly #request: RunRequest;
  readonly #losses: DeviceLosses;
  #backend!: Backend;
  #container!: Container;
  #trainer!: Trainer;
  #evaluation!: Evaluation;
  readonly #folder: RunFolder | undefined;
  #claim: Claim | undefined;
  #keeper: CheckpointKeeper | undefined;
  #control: Control | undefined;
  #stopping = false;
  /** Commands that arrived between two stages. */
  #waiting: Command[] = [];
  readonly #health: Health;
  /** Weights that were set since the newest checkpoint, to be set again after a loss of the device. */
  #orders: RecordedCommand[] = [];
  /** The stage that is on, or was last, and the step that comes next in it. */
  #position: Position = { stage: 0, step: 0 };
  /** Whether some roles have had their turn of a step and others have not. */
  #midStep = false;
  /** What was found when the run was made, to be told when it starts. */
  #notes: readonly string[] = [];
  /** A loss of the device while it was made. */
  #lostEarly: OnestepError | undefined;

  private constructor(
    request: RunRequest,
    losses: DeviceLosses,
    folder: RunFolder | undefined,
    container: Container,
    traces: Traces,
  ) {
    this.#request = request;
    this.#losses = losses;
    this.#folder = folder;
    this.#equip(request.backend, container, traces);
    this.#health = new Health(this.bus, container.all(MONITORS));
    for (const observer of [...container.all(OBSERVERS), ...(request.observers ?? [])]) observer.observe(this.bus);
  }

  /** Everything of the run that lives on a device. */
  #equip(backend: Backend, container: Container, traces: Traces): void {
    const { resolved, cache } = this.#request;
    const { settings } = resolved;
    this.#backend = backend;
    this.#container = container;
    const pace = runPace(this.bus, () => this.#stopping);
    container.value(PACE, pace, "the run");
    if (cache) container.value(CACHE, cache, "the run");
    this.#trainer = new Trainer(container, backend, this.dataset, this.bus, settings, { traces });
    const stage = () => this.#stage;
    this.#evaluation = new Evaluation(container, backend, this.#trainer, this.bus, stage, settings.drawBatch);
  }

  /**
   * Checks folder and data, and loads what is to be resumed. Nothing is overwritten before everything was found sound.
   * @throws CheckpointError (E_PAIRS among them), OptionError, E_DATA, or E_DEVICE_LIMIT when the device is too small for the run
   */
  static async create(request: RunRequest): Promise<Run> {
    const losses = new DeviceLosses(request.reopen);
    let { backend } = request;
    let early: OnestepError | undefined;
    const run = await losses.through(
      () => Run.#create({ ...request, backend }, losses),
      () => undefined,
      async (lost) => {
        early = lost;
        backend = await losses.reopen(lost, backend.info);
      },
    );
    run.#lostEarly = early;
    return run;
  }

  static async #create(request: RunRequest, losses: DeviceLosses): Promise<Run> {
    const { output, resolved, backend, data = {} } = request;
    const folder = output && runFolder(output.files, output.path);
    const isThere = folder && (await output.files.exists(output.path));
    let claim = isThere ? await folder.claim() : undefined;
    let container: Container | undefined;
    let run: Run | undefined;
    try {
      const resumes = folder && (await checkFolder(folder, output?.existing)) === "resume";
      // A run that goes on has its weights.
      const config = resumes ? { ...resolved.config, start: {} } : resolved.config;
      const load = () => composeRun(resolved, backend, data);
      container = await withAllParts(config, output?.files ?? data.files, load, {
        rolesOf: (each) => Object.keys(each.get(METHOD).roles),
        drop: (each) => each.dispose(),
      });
      // Finds now what would otherwise end the run after hours of training.
      const traces = new Traces();
      const plan = await planRun(container, resolved.settings, backend, traces);
      checkCapacity(plan, backend);
      checkUsed(container);
      checkCounts(container, resolved.settings.evaluateCount);
      for (const metric of container.all(METRICS)) await metric.ready?.();
      backend.expect?.(plan.peakBytes);
      const roles = Object.keys(plan.parameters);
      run = new Run(request, losses, folder, container, traces);
      if (folder && !resumes) await checkFolder(folder, output?.existing, roles);
      if (resumes) await run.#resume(claim);
      const held = resumes ? playersUpTo(run.trainer, run.#position.stage).map(({ name }) => name) : [];
      await startFromFiles(run.trainer, resolved, held, output?.files ?? data.files);
      if (!resumes) await run.trainer.begin(run.#stage);
      await run.#checkTeacher();
      if (resumes) await folder.writeConfig(resolved.config, data.path);
      else if (folder) {
        // A folder that was not there is made when all else is found sound.
        claim ??= await folder.claim();
        await checkFolder(folder, output?.existing, roles);
        await checkSpace(folder, output!.files, run.trainer);
        run.#keep(claim);
        await folder.begin(resolved.config, roles, data.path);
        if (output?.existing === "resume")
          run.#notes = ["nothing was kept before it was stopped, so the run starts from its beginning"];
      }
      return run;
    } catch (error) {
      await (run ?? container)?.dispose();
      await claim?.release();
      if (!isThere) await folder?.leave();
      throw error;
    }
  }

  #keep(claim: Claim | undefined): CheckpointKeeper {
    const { output, resolved } = this.#request;
    this.#claim = claim;
    this.#keeper = new CheckpointKeeper({
      files: output!.files,
      folder: this.#folder!.checkpoint,
      run: this.#folder!.path,
      settings: resolved.settings,
      claim,
      warn: (message) => this.#warn(message),
    });
    return this.#keeper;
  }

  get #stages(): readonly Stage[] {
    return this.trainer.method.stages;
  }
  get #stage(): Stage {
    return this.#stages[this.#position.stage];
  }

  async #resume(claim: Claim | undefined): Promise<void> {
    const { output, resolved } = this.#request;
    await this.#folder!.clearDrafts();
    const { position, path, manifest, notes } = await resumeFrom(
      this.#folder!,
      output!.files,
      this.trainer,
      resolved.config,
    );
    this.#position = position;
    this.#keep(claim).resumed(path, manifest);
    this.#notes = notes;
  }

  /** Where no update of this stage is still to change the teacher, losses that were made for one are asked about it. */
  async #checkTeacher(): Promise<void> {
    if (this.#position.step < this.#stage.steps && changesTeacher(this.#stage)) return;
    await checkTeacher(this.#container, this.trainer, this.#request.resolved.config);
  }

  get dataset(): Dataset {
    return this.#container.get(DATASET);
  }
  /** Another one after a loss of the device. */
  get trainer(): Trainer {
    return this.#trainer;
  }
  /** The run's folder, when it has one. */
  get folder(): RunFolder | undefined {
    return this.#folder;
  }
  /** Ends the run after the current step, with a checkpoint. */
  stop(): void {
    this.send({ type: "stop" });
  }
  /**
   * Sends a command to the stage that is on; between two stages it waits for the next.
   * @throws OptionError for a weight that is not a number from 0 on
   */
  send(command: Command): void {
    if (command.type === "stop") this.#stopping = true;
    if (this.#control) this.#control.send(command);
    else this.#waiting.push(command);
  }

  /** Runs to the end, or until `stop`. Rejects with the error that ended it; `run/failed` and `run/end` are emitted all the same. */
  async start(): Promise<RunResult> {
    const { settings, config } = this.#request.resolved;
    const backend = this.#backend;
    this.bus.emit("run/start", {
      seed: settings.seed,
      steps: this.#stages.reduce((sum, { steps }) => sum + steps, 0),
      stages: this.#stages.map(({ name, steps }) => ({ name, steps })),
      device: `${backend.info.backend}: ${backend.info.name}${backend.info.software ? " (software)" : ""}`,
      config: config as unknown as Record<string, unknown>,
    });
    const notice = precisionNotice(backend, settings);
    if (notice) this.bus.emit("run/warning", { source: "precision", message: notice });
    for (const note of this.#notes) this.#warn(note);
    if (this.#lostEarly) this.#tellOf(this.#lostEarly);
    if (this.#completed === 0)
      for (const message of untrainedNotes(this.trainer, config))
        this.bus.emit("run/warning", { source: "start", message });
    const end = async (reason: "complete" | "stopped" | "failed") => {
      this.bus.emit("run/end", { steps: this.#completed, reason });
      await this.bus.settled();
    };
    try {
      const through = async () => {
        await this.checkpoint();
        const finished = await this.#train();
        const judgements = finished ? await unlessStopped(this.judge()) : undefined;
        // After judging, which draws samples, the states are what they were.
        await this.#save(true);
        return judgements;
      };
      const judgements = this.#keeper
        ? await this.#losses.through(
            through,
            () => this.#keeper!.newest,
            (lost) => this.#goOnAfter(lost),
          )
        : await through();
      const { warnings } = this.#health;
      if (judgements) await this.#folder?.writeReport(judgements, this.#backend.info, warnings);
      if (judgements) await this.#keeper?.finish();
      const reason = judgements ? "complete" : "stopped";
      await end(reason);
      return { reason, judgements: judgements ?? [], warnings };
    } catch (cause) {
      await this.#saveBefore(cause);
      const error = this.#keeper?.advised(cause) ?? cause;
      this.bus.emit("run/failed", { step: this.#position.step, error: error as Error });
      await end("failed");
      throw error;
    } finally {
      await this.#claim?.release();
    }
  }

  /** Opens the device again and goes back to the newest checkpoint, or to the beginning. */
  async #goOnAfter(lost: OnestepError): Promise<void> {
    const { output, resolved, data = {} } = this.#request;
    const at = { stage: this.#stage.name, step: this.#position.step };
    // What listeners still read is lost too, and what they still write must not meet the drafts being cleared.
    await this.bus.settled();
    await this.#release();
    const backend = await this.#losses.reopen(lost, this.#backend.info);
    this.#equip(backend, await composeRun(resolved, backend, data), new Traces());
    const path = this.#keeper!.newest;
    this.#position = { stage: 0, step: 0 };
    if (path) await this.#resume(this.#claim);
    const held = path ? playersUpTo(this.#trainer, this.#position.stage).map(({ name }) => name) : [];
    await startFromFiles(this.#trainer, resolved, held, output!.files);
    if (!path) await this.#trainer.begin(this.#stage);
    this.#midStep = false;
    if (path) for (const note of this.#notes) this.#warn(note);
    this.#tellOf(lost, at, path);
  }

  /** @param at where it was lost, if not here */
  #tellOf({ message: reason }: OnestepError, at?: TrainEvents["device/lost"]["lost"], path?: string): void {
    const { step } = this.#position;
    const stage = this.#stage.name;
    this.bus.emit("device/lost", { stage, step, lost: at ?? { stage, step }, reason, path });
  }

  #warn(message: string): void {
    this.bus.emit("run/warning", { source: CHECKPOINT, message });
  }

  /** Steps that are complete, of all stages. */
  get #completed(): number {
    const { stage, step } = this.#position;
    return this.#stages.slice(0, stage).reduce((sum, { steps }) => sum + steps, step);
  }
  /** Stage after stage; false when the run was stopped. */
  async #train(): Promise<boolean> {
    for (let place = this.#position.stage; place < this.#stages.length; place++) {
      const stage = this.#stages[place];
      if (place > this.#position.stage) {
        // Weights that the last stage has made are what this one begins with.
        await this.trainer.begin(stage);
        this.#position = { stage: place, step: 0 };
        this.#orders = [];
      }
      try {
        if (stage.steps > 0 && !(await this.#runStage(stage))) return false;
      } catch (error) {
        await this.#rollBack(error);
        place = this.#position.stage - 1;
        continue;
      }
      // First the weights, which many a full disk has room for, then the checkpoint. Judging can take long or fail.
      for (const role of learnersOf(stage)) await this.#writeWeights(role);
      if (stage.steps > 0) await this.#save(place === this.#stages.length - 1);
      if (changesTeacher(stage)) await this.#checkTeacher();
    }
    return true;
  }

  /**
   * Goes back to the newest checkpoint, or without one to before the update that was not finite, to go on from there with half the
   * learning rates: with the same ones it would come to the same, as all draws are repeated.
   * @throws the error itself where the config says otherwise, or this has not helped
   */
  async #rollBack(error: unknown): Promise<void> {
    if (!(error instanceof Divergence) || error.update.policy !== "rollback") throw error;
    const { trainer } = this;
    if (trainer.rollbacks >= MOST_ROLLBACKS)
      throw new Divergence(
        `${error.message}; to go back ${trainer.rollbacks} times, each with half the learning rates, has not helped`,
        ...([error.update, error.at] as const),
      );
    const { output, resolved } = this.#request;
    const rollbacks = trainer.rollbacks + 1;
    if (this.#keeper?.newest) {
      const { position, path, manifest } = await resumeFrom(this.#folder!, output!.files, trainer, resolved.config);
      this.#position = position;
      this.#keeper.resumed(path, manifest);
    } else {
      this.#standAt(error);
      trainer.goOn();
    }
    trainer.rollbacks = rollbacks;
    const { step } = this.#position;
    this.bus.emit("run/rolled-back", { stage: this.#stage.name, step, rate: 0.5 ** rollbacks });
  }

  async #runStage(stage: Stage): Promise<boolean> {
    if (this.#stopping) return false;
    const { settings } = this.#request.resolved;
    const { steps } = stage;
    const place = this.#position.stage;
    const previews = this.#evaluation.previews(stage, settings.sampleEvery);
    const shown = this.#evaluation.shownIn(stage);
    const control = new Control(this.#orders.splice(0));
    this.#control = control;
    for (const command of this.#waiting.splice(0)) control.send(command);
    const ends = [
      this.bus.on("control/received", ({ step, command }) => {
        if (command.type === "set-weight") this.#orders.push({ step, command });
      }),
      this.bus.on("role/updated", () => {
        this.#midStep = true;
      }),
      this.bus.on("step/end", ({ step }) => {
        const done = step + 1;
        this.#midStep = false;
        this.#position = { stage: place, step: done };
        if (done === steps) return;
        if (this.#keeper?.isDue(done)) control.send({ type: "checkpoint" });
        if (previews?.isDue(done)) control.send({ type: "sample" });
      }),
    ];
    let probe: HealthProbe | undefined;
    try {
      if (this.#position.step < steps) {
        await this.trainer.prepare(stage);
        probe = await HealthProbe.create(this.#backend, this.trainer, this.dataset, stage);
      }
      const next = await this.trainer.train(stage, {
        start: this.#position.step,
        startTurn: this.#position.turn,
        control,
        beforeStep: (step) => this.#health.before(stage, step, probe),
        obey: async ({ type }, step) => {
          this.#position = { stage: place, step };
          if (type === "checkpoint") await this.checkpoint();
          if (type === "sample" && shown) await this.draw(shown, previews?.count ?? SAMPLES);
        },
      });
      this.#position = { stage: place, step: next };
      return next >= steps;
    } finally {
      for (const end of ends) end();
      probe?.dispose();
      this.#control = undefined;
      this.#waiting.push(...control.take(steps));
    }
  }

  /**
   * Saves everything a resumed run needs. While a stage is on, ask its control for one instead. A disk that refuses is a warning
   * at first, see `CheckpointKeeper`.
   * @throws E_DIVERGED when a weight, or one of the last updates, is not finite; the checkpoint before is kept.
   */
  checkpoint(): Promise<void> {
    return this.#save();
  }

  async #save(last = false): Promise<void> {
    if (!this.#keeper) return;
    await this.trainer.settled();
    const { stage, step, turn } = this.#position;
    const players = playersUpTo(this.trainer, stage);
    const { rollbacks } = this.trainer;
    const manifest: Snapshot["manifest"] = {
      stage: this.#stage.name,
      step,
      ...(turn && { turn }),
      ...(rollbacks && { rollbacks }),
      stages: this.#stages.map(({ name, steps }) => ({ name, steps })),
      updates: Object.fromEntries(players.map(({ name, updates }) => [name, updates])),
      weights: Object.fromEntries(this.trainer.changedWeights),
      config: this.#request.resolved.config,
    };
    const saved = await this.#keeper.save({ manifest, states: this.trainer.sources(players, this.#stage, turn) }, last);
    if (!saved) return;
    this.#orders = this.#orders.filter((order) => order.step >= step);
    this.bus.emit("checkpoint/saved", { step, ...saved });
  }

  /**
   * A file of the data that can't be read ends a run, and so does an update that is not finite; that need not cost what it has
   * done before.
   */
  async #saveBefore(error: unknown): Promise<void> {
    if (error instanceof Divergence) this.#standAt(error);
    else if (!(error instanceof OnestepError && ["E_DATA", "E_FILE"].includes(error.code)) || this.#midStep) return;
    if (this.#keeper?.failing) return;
    await this.#save(true).catch((why) => this.#warn(`the last steps are not kept: ${(why as Error).message}`));
  }

  /** The states are those of the moment where updates stopped to change them. */
  #standAt({ at: { step, place } }: Divergence): void {
    this.#position = { stage: this.#position.stage, step, turn: place };
  }

  async #writeWeights(role: string): Promise<void> {
    const player = this.trainer.players[role];
    if (!this.#folder || !player.layout.count) return;
    const stage = this.#stage.name;
    const info = { role, stage, data: this.dataset.shape, config: this.#request.resolved.config };
    await this.#folder.writeWeights(player.stored("served"), info);
    for (const { copy, average } of player.averages)
      if (average.label !== undefined) await this.#folder.writeWeights(player.stored(copy), info, average.label);
  }

  /** Draws samples from a role's served weights with the sampler that the method has for it, one set at a time. */
  draw(role: string, count: number, seed?: number): Promise<Drawn> {
    return this.#evaluation.draw(role, { count, seed }, this.#stepOf(role));
  }

  /** Judges real data and the roles that draw samples with every metric of the config. */
  judge(): Promise<Judgement[]> {
    const { evaluateCount } = this.#request.resolved.settings;
    return this.#evaluation.judge(evaluateCount, (role) => this.#stepOf(role));
  }

  /** How far a role is: the step of the stage and, where it learns, the steps of its earlier stages before that. */
  #stepOf(role: string): number {
    const { stage: place, step } = this.#position;
    if (!learnersOf(this.#stage).has(role)) return step;
    const earlier = this.#stages.slice(0, place).filter((stage) => learnersOf(stage).has(role));
    return earlier.reduce((sum, { steps }) => sum + steps, step);
  }

  /** Frees what is on the device; the folder stays the run's. */
  async #release(): Promise<void> {
    this.#evaluation.dispose();
    this.#trainer.dispose();
    await this.#container.dispose();
  }

  async dispose(): Promise<void> {
    await this.#release();
    await this.#claim?.release();
  }
}

/** How often a run goes back: with an eighth of its learning rates, something else is wrong. */
const MOST_ROLLBACKS = 3;

/** Where warnings about checkpoints come from. */
export const CHECKPOINT = "checkpoint";
