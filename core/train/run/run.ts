import type { Container } from "../../di/mod.ts";
import { failure } from "../../errors.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { DATASET, type DataFolder, type Dataset } from "../../interfaces/dataset.ts";
import { LOSSES } from "../../interfaces/loss.ts";
import type { Stage } from "../../interfaces/method.ts";
import { OBSERVERS, type Observer } from "../../interfaces/observer.ts";
import type { FileSystem } from "../../io/files.ts";
import { checkCounts, checkUsed } from "../config/checkPlugins.ts";
import type { ResolvedConfig } from "../config/config.ts";
import { DONE, loadCheckpoint, type Manifest, type States, saveCheckpoint } from "../files/checkpoint.ts";
import { teacherFingerprint } from "../files/fingerprint.ts";
import { type RunFolder, runFolder } from "../files/runFolder.ts";
import { readStartWeights } from "../files/startWeights.ts";
import { encodeWeights } from "../files/weightsFile.ts";
import { EventBus } from "../loop/bus.ts";
import { type Command, Control } from "../loop/control.ts";
import { Evaluation, type Judgement, SAMPLES } from "../sampling/evaluation.ts";
import type { Drawn } from "../sampling/sampleDrawer.ts";
import type { Player } from "../update/player.ts";
import { precisionNotice } from "../update/precision.ts";
import { Traces } from "../update/traces.ts";
import { Trainer } from "../update/trainer.ts";
import { learnersOf } from "../update/turnContext.ts";
import { composeRun } from "./compose.ts";
import { checkCapacity, planRun } from "./planRun.ts";

/** What a run is made of. */
export interface RunRequest {
  readonly resolved: ResolvedConfig;
  readonly backend: Backend;
  readonly data?: DataFolder;
  /** Where results go; nothing is written when absent. */
  readonly output?: {
    readonly files: FileSystem;
    readonly path: string;
    /** Go on from the folder's checkpoint, or replace the run in it. Otherwise a run in the folder is an error. */
    readonly existing?: "resume" | "replace";
  };
  readonly observers?: readonly Observer[];
}

/** How a run ended. */
export interface RunResult {
  readonly reason: "complete" | "stopped";
  readonly judgements: readonly Judgement[];
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
  readonly trainer: Trainer;
  readonly #request: RunRequest;
  readonly #container: Container;
  readonly #dataset: Dataset;
  readonly #folder: RunFolder | undefined;
  readonly #evaluation: Evaluation;
  #control: Control | undefined;
  #stopping = false;
  /** Commands that arrived between two stages. */
  #waiting: Command[] = [];
  /** The stage that is on, or was last, and the step that comes next in it. */
  #position = { stage: 0, step: 0 };
  #done = false;

  private constructor(request: RunRequest, container: Container, folder: RunFolder | undefined, traces: Traces) {
    this.#request = request;
    this.#container = container;
    this.#dataset = container.get(DATASET);
    this.#folder = folder;
    const { backend, resolved } = request;
    this.trainer = new Trainer(container, backend, this.#dataset, this.bus, resolved.settings, { traces });
    this.#evaluation = new Evaluation(container, backend, this.trainer, this.bus, () => this.#stage);
    for (const observer of [...container.all(OBSERVERS), ...(request.observers ?? [])]) observer.observe(this.bus);
  }

  /**
   * Checks folder and data, and loads what is to be resumed. Nothing is overwritten before everything was found sound.
   * @throws CheckpointError (E_PAIRS among them), OptionError, E_DATA, or E_DEVICE_LIMIT when the device is too small for the run
   */
  static async create(request: RunRequest): Promise<Run> {
    const { output, resolved, backend, data = {} } = request;
    const folder = output && runFolder(output.files, output.path);
    const present = await folder?.holdsRun();
    if (present && !output?.existing) throw occupied(output!.path);
    if (output?.existing === "resume" && !present)
      throw failure("E_CHECKPOINT", `Cannot resume ${output.path}: it holds no run`);
    const resumed = output?.existing === "resume" ? await loadCheckpoint(output.files, folder!.checkpoint) : undefined;
    const container = await composeRun(resolved, backend, data);
    let run: Run | undefined;
    try {
      // Finds now what would otherwise end the run after hours of training.
      const traces = new Traces();
      const plan = await planRun(container, resolved.settings, backend, traces);
      checkCapacity(plan, backend);
      checkUsed(container);
      checkCounts(container, resolved.settings.evaluateCount);
      backend.expect?.(plan.peakBytes);
      run = new Run(request, container, folder, traces);
      const roles = Object.keys(run.trainer.players);
      if (!output?.existing && (await folder?.holdsRun(roles))) throw occupied(output!.path);
      if (resumed) run.#restore(resumed);
      await run.#startFromFiles();
      if (!resumed) await run.trainer.begin(run.#stage);
      if (!run.#teacherIsYetToLearn) await run.#checkTeacher();
      await (resumed ? folder?.writeConfig(resolved.config) : folder?.begin(resolved.config, roles));
      return run;
    } catch (error) {
      await (run ?? container).dispose();
      throw error;
    }
  }

  get #stages(): readonly Stage[] {
    return this.trainer.method.stages;
  }
  get #stage(): Stage {
    return this.#stages[this.#position.stage];
  }

  /** Reads the files of `start`, except for roles that a checkpoint holds already. */
  async #startFromFiles(): Promise<void> {
    const { resolved, output, data } = this.#request;
    const begins = Object.assign({}, ...[...this.#stages].reverse().map((stage) => stage.begins));
    const isResumed = output?.existing === "resume";
    const held = isResumed ? this.#players.map(({ name }) => name) : [];
    const start = Object.entries(resolved.config.start ?? {}).filter(([role]) => !held.includes(role));
    const files = output?.files ?? data?.files;
    const { seed } = resolved.settings;
    const { players } = this.trainer;
    const reading = { players, begins, seed, files };
    this.trainer.startFrom(await readStartWeights(Object.fromEntries(start), reading));
  }

  #restore({ manifest, states }: { manifest: Manifest; states: States }): void {
    const { stage, step } = manifest;
    const last = this.#stages.length - 1;
    const names = this.#stages.map(({ name }) => name);
    const at = stage === DONE ? last : names.indexOf(stage);
    if (at < 0)
      throw failure(
        "E_CHECKPOINT",
        `Cannot resume: the checkpoint is of stage "${stage}", the method ${this.trainer.method.name} has ${names.join(", ")}`,
        { fix: "go on with the method of the run, or start another run in a folder of its own" },
      );
    this.#position = { stage: at, step };
    // A finished run that is given more steps goes on where it ended.
    this.#done = stage === DONE && step >= this.#stages[last].steps;
    for (const player of this.#players) {
      player.writeAll(states);
      player.updates = manifest.updates[player.name] ?? 0;
    }
    for (const [loss, weight] of Object.entries(manifest.weights)) this.trainer.changedWeights.set(loss, weight);
  }

  /** Whether this stage is still to change the teacher, so that it can't be told apart from others yet. */
  get #teacherIsYetToLearn(): boolean {
    return !this.#done && this.#stage.steps > 0 && learnersOf(this.#stage).has(TEACHER);
  }
  /** Asks the losses that were made for one teacher whether it is this one. */
  async #checkTeacher(): Promise<void> {
    const particular = this.#container.all(LOSSES).filter(({ checkTeacher, weight }) => checkTeacher && weight !== 0);
    const teacher = this.trainer.players[TEACHER];
    if (particular.length === 0 || !teacher) return;
    const weights = await teacher.read("served");
    const fingerprint = await teacherFingerprint(this.#request.resolved.config, weights);
    for (const loss of particular) loss.checkTeacher?.(fingerprint);
  }

  get dataset(): Dataset {
    return this.#dataset;
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
    const { resolved, backend } = this.#request;
    const { settings, config } = resolved;
    this.bus.emit("run/start", {
      seed: settings.seed,
      steps: this.#stages.reduce((sum, { steps }) => sum + steps, 0),
      stages: this.#stages.map(({ name, steps }) => ({ name, steps })),
      device: `${backend.info.backend}: ${backend.info.name}${backend.info.software ? " (software)" : ""}`,
      config: config as unknown as Record<string, unknown>,
    });
    const notice = precisionNotice(backend, settings);
    if (notice) this.bus.emit("run/warning", { source: "precision", message: notice });
    const end = async (reason: "complete" | "stopped" | "failed") => {
      this.bus.emit("run/end", { steps: this.#completed, reason });
      await this.bus.settled();
    };
    try {
      const finished = await this.#train();
      const judgements = finished ? await this.judge() : [];
      this.#done = finished;
      await this.checkpoint();
      if (finished) await this.#folder?.writeReport(judgements, backend.info);
      await end(finished ? "complete" : "stopped");
      return { reason: finished ? "complete" : "stopped", judgements };
    } catch (error) {
      this.bus.emit("run/failed", { step: this.#position.step, error: error as Error });
      await end("failed");
      throw error;
    }
  }

  /** Steps that are complete, of all stages. */
  get #completed(): number {
    const { stage, step } = this.#position;
    return this.#stages.slice(0, stage).reduce((sum, { steps }) => sum + steps, step);
  }
  /** Players whose states are worth keeping: those of the stage and of the stages before it. */
  get #players(): Player<unknown>[] {
    const begun = this.#stages.slice(0, this.#position.stage + 1);
    const roles = new Set(begun.flatMap((stage) => this.trainer.rolesOf(stage)));
    return Object.values(this.trainer.players).filter(({ name }) => roles.has(name));
  }

  /** Stage after stage; false when the run was stopped. */
  async #train(): Promise<boolean> {
    if (this.#done) return true;
    for (let place = this.#position.stage; place < this.#stages.length; place++) {
      const stage = this.#stages[place];
      if (place > this.#position.stage) {
        // Weights that the last stage has made are what this one begins with.
        await this.trainer.begin(stage);
        this.#position = { stage: place, step: 0 };
      }
      if (stage.steps > 0 && !(await this.#runStage(stage))) return false;
      for (const role of learnersOf(stage)) await this.#writeWeights(role);
      if (learnersOf(stage).has(TEACHER)) await this.#checkTeacher();
    }
    return true;
  }

  async #runStage(stage: Stage): Promise<boolean> {
    if (this.#stopping) return false;
    const { settings } = this.#request.resolved;
    const { steps } = stage;
    const place = this.#position.stage;
    const shown = this.#evaluation.shownIn(stage);
    const control = new Control();
    this.#control = control;
    for (const command of this.#waiting.splice(0)) control.send(command);
    const after = this.bus.on("step/end", ({ step }) => {
      this.#position = { stage: place, step: step + 1 };
      const due = (every: number) => every > 0 && (step + 1) % every === 0 && step + 1 < steps;
      if (due(settings.checkpointEvery)) control.send({ type: "checkpoint" });
      if (due(settings.sampleEvery)) control.send({ type: "sample" });
    });
    try {
      if (this.#position.step < steps) await this.trainer.prepare(stage);
      const next = await this.trainer.train(stage, {
        start: this.#position.step,
        control,
        obey: async ({ type }, step) => {
          this.#position = { stage: place, step };
          if (type === "checkpoint") await this.checkpoint();
          if (type === "sample" && shown) await this.draw(shown, SAMPLES);
        },
      });
      this.#position = { stage: place, step: next };
      if (next < steps) return false;
      // Judging can take long or fail, and the training is saved. Weights that are not finite get no further.
      await this.checkpoint();
      return true;
    } finally {
      after();
      this.#control = undefined;
      this.#waiting.push(...control.take(steps));
    }
  }

  /**
   * Saves everything a resumed run needs. While a stage is on, ask its control for one instead.
   * @throws E_DIVERGED when a weight is not finite; the checkpoint before is kept.
   */
  async checkpoint(): Promise<void> {
    const output = this.#request.output;
    if (!output || !this.#folder) return;
    const states: Record<string, Float32Array | Int32Array> = {};
    const updates: Record<string, number> = {};
    for (const player of this.#players) {
      Object.assign(states, await player.readAll());
      updates[player.name] = player.updates;
    }
    const { step } = this.#position;
    const stage = this.#done ? DONE : this.#stage.name;
    for (const [name, values] of Object.entries(states))
      if (!allFinite(values))
        throw failure(
          "E_DIVERGED",
          `Cannot save a checkpoint at step ${step}: ${name} holds NaN or infinity, expected finite numbers`,
        );
    const path = this.#folder.checkpoint;
    const bytes = await saveCheckpoint(
      output.files,
      path,
      {
        stage,
        step,
        updates,
        config: this.#request.resolved.config,
        weights: Object.fromEntries(this.trainer.changedWeights),
      },
      states,
    );
    this.bus.emit("checkpoint/saved", { step, path, bytes });
  }

  async #writeWeights(role: string): Promise<void> {
    const player = this.trainer.players[role];
    if (!this.#folder || !player.layout.count) return;
    const stage = this.#stage.name;
    const info = { role, stage, data: this.#dataset.shape, config: this.#request.resolved.config };
    await this.#folder.writeWeights(role, encodeWeights(await player.read("served"), info));
    for (const { copy, average } of player.averages)
      if (average.label !== undefined)
        await this.#folder.writeWeights(role, encodeWeights(await player.read(copy), info), average.label);
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

  async dispose(): Promise<void> {
    this.#evaluation.dispose();
    this.trainer.dispose();
    await this.#container.dispose();
  }
}

/** x·0 is 0 for finite x and NaN otherwise: one pass without a branch. */
function allFinite(values: ArrayLike<number>): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * 0;
  return sum === 0;
}

/** The role whose weights a loss on stored pairs was made for. */
const TEACHER = "teacher";

const occupied = (path: string) => failure("E_RUN_EXISTS", `Cannot start a run in ${path}: it already holds one`);
