import type { Container } from "../../di/mod.ts";
import { failure } from "../../errors.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { DATASET, type DataFolder, type Dataset } from "../../interfaces/dataset.ts";
import { LOSSES } from "../../interfaces/loss.ts";
import { OBSERVERS, type Observer } from "../../interfaces/observer.ts";
import type { RoleName } from "../../interfaces/role.ts";
import { TEACHER } from "../../interfaces/teacher.ts";
import type { FileSystem } from "../../io/files.ts";
import type { ResolvedConfig } from "../config/config.ts";
import { loadCheckpoint, type Manifest, type States, saveCheckpoint } from "../files/checkpoint.ts";
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
import { type Stage, Trainer } from "../update/trainer.ts";
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
    /** Go on from the folder's checkpoint, or replace the run that is there. Otherwise a run there is an error. */
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
 * A whole run: teacher, distillation, judgement, with its folder, events and checkpoints.
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
  /** The step that comes next. */
  #position: { stage: Manifest["stage"]; step: number } = { stage: "teacher", step: 0 };

  private constructor(request: RunRequest, container: Container, folder: RunFolder | undefined) {
    this.#request = request;
    this.#container = container;
    this.#dataset = container.get(DATASET);
    this.#folder = folder;
    this.trainer = new Trainer(
      container,
      request.backend,
      this.#dataset,
      this.bus,
      request.resolved.settings,
    );
    this.#evaluation = new Evaluation(container, request.backend, this.trainer, this.bus);
    for (const observer of [...container.all(OBSERVERS), ...(request.observers ?? [])])
      observer.observe(this.bus);
  }

  /**
   * Checks folder and data, and loads what is to be resumed. Nothing is overwritten before everything was found sound.
   * @throws CheckpointError (E_PAIRS among them), OptionError, E_DATA, or E_DEVICE_LIMIT when the device is too small for the run
   */
  static async create(request: RunRequest): Promise<Run> {
    const { output, resolved, backend, data = {} } = request;
    const folder = output && runFolder(output.files, output.path);
    const present = await folder?.holdsRun();
    if (present && !output?.existing)
      throw failure("E_RUN_EXISTS", `Cannot start a run in ${output!.path}: it already holds one`);
    if (output?.existing === "resume" && !present)
      throw failure("E_CHECKPOINT", `Cannot resume ${output.path}: it holds no run`);
    const resumed =
      output?.existing === "resume"
        ? await loadCheckpoint(output.files, folder!.checkpoint)
        : undefined;
    const container = await composeRun(resolved.plugins, backend, data);
    let run: Run | undefined;
    try {
      // Finds now what would otherwise end the run after hours of teacher training.
      checkCapacity(await planRun(container, resolved.settings, backend), backend);
      run = new Run(request, container, folder);
      if (!resumed) await run.#startFromFiles({ teacher: true });
      else {
        run.#restore(resumed);
        if (resumed.manifest.stage === "teacher") await run.#startFromFiles({ teacher: false });
      }
      if (!run.#teacherIsYetToLearn) await run.#checkTeacher();
      await (resumed ? folder?.writeConfig(resolved.config) : folder?.begin(resolved.config));
      return run;
    } catch (error) {
      await (run ?? container).dispose();
      throw error;
    }
  }

  /** Reads the files of `start`. What a run that goes on has in its checkpoint already needs none. */
  async #startFromFiles(needs: { teacher: boolean }): Promise<void> {
    const { resolved, output, data } = this.#request;
    const { teacher, ...others } = resolved.config.start ?? {};
    const start = needs.teacher && teacher !== undefined ? { teacher, ...others } : others;
    const weights = await readStartWeights(start, this.trainer.players, {
      seed: resolved.settings.seed,
      files: output?.files ?? data?.files,
    });
    this.trainer.startFrom(weights);
  }

  #restore({ manifest, states }: { manifest: Manifest; states: States }): void {
    const { stage, step } = manifest;
    const last = this.trainer.players.generator ? "distillation" : "teacher";
    // A finished run that is given more steps goes on where it ended.
    const goesOn = stage === "done" && step < this.#stepsOf(last);
    this.#position = { stage: goesOn ? last : stage, step };
    for (const player of this.#players) {
      player.writeAll(states);
      player.updates = manifest.updates[player.name] ?? 0;
    }
    for (const [loss, weight] of Object.entries(manifest.weights))
      this.trainer.changedWeights.set(loss, weight);
  }

  get #teacherLearns(): boolean {
    return this.#container.get(TEACHER).trainable;
  }
  #stepsOf(stage: Stage): number {
    const { settings } = this.#request.resolved;
    if (stage === "distillation") return settings.steps;
    return this.#teacherLearns ? settings.teacher.steps : 0;
  }

  get #teacherIsYetToLearn(): boolean {
    return this.#position.stage === "teacher" && this.#teacherLearns;
  }
  /** Asks the losses that were made for one teacher whether it is this one. */
  async #checkTeacher(): Promise<void> {
    const particular = this.#container
      .all(LOSSES)
      .filter(({ checkTeacher, weight }) => checkTeacher && weight !== 0);
    if (particular.length === 0) return;
    const weights = await this.trainer.players.teacher.read("served");
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
  pause(): void {
    this.send({ type: "pause" });
  }
  resume(): void {
    this.send({ type: "resume" });
  }
  /**
   * Sends a command to the stage that is on. A stop also counts between stages, when other commands are without effect.
   * @throws OptionError for a weight that is none
   */
  send(command: Command): void {
    if (command.type === "stop") this.#stopping = true;
    this.#control?.send(command);
  }

  /** Runs to the end, or until `stop`. Rejects with the error that ended it; `run/failed` and `run/end` are emitted all the same. */
  async start(): Promise<RunResult> {
    const { resolved, backend } = this.#request;
    const { settings, config } = resolved;
    const { generator } = this.trainer.players;
    this.bus.emit("run/start", {
      seed: settings.seed,
      steps: this.#stepsOf("teacher") + (generator ? settings.steps : 0),
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
      const finished = (await this.#teach()) && (await this.#distil());
      const judgements = finished ? await this.judge() : [];
      if (finished) this.#position = { stage: "done", step: this.#position.step };
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

  /** Steps that are complete, of both stages. */
  get #completed(): number {
    const { stage, step } = this.#position;
    const before = stage === "teacher" || !this.trainer.players.generator;
    return before ? step : this.#stepsOf("teacher") + step;
  }
  /** Whose states are worth keeping: before distillation begins, the teacher's. */
  get #players(): Player<unknown>[] {
    const { teacher, generator, critic } = this.trainer.players;
    const players = this.#position.stage === "teacher" ? [teacher] : [teacher, generator, critic];
    return players.filter((player) => player !== undefined) as Player<unknown>[];
  }

  /** True when the stage is over and the next may begin. */
  async #teach(): Promise<boolean> {
    if (this.#position.stage !== "teacher") return true;
    if (this.#teacherLearns && !(await this.#stage("teacher"))) return false;
    await this.#writeWeights("teacher");
    if (!this.trainer.players.generator) return true;
    await this.#checkTeacher();
    await this.trainer.startDistillation();
    this.#position = { stage: "distillation", step: 0 };
    return true;
  }

  async #distil(): Promise<boolean> {
    if (!this.trainer.players.generator || this.#position.stage !== "distillation") return true;
    if (!(await this.#stage("distillation"))) return false;
    await this.#writeWeights("generator");
    await this.#writeWeights("critic");
    return true;
  }

  async #stage(stage: Stage): Promise<boolean> {
    if (this.#stopping) return false;
    const { settings } = this.#request.resolved;
    const steps = this.#stepsOf(stage);
    const learns = stage === "teacher" ? "teacher" : "generator";
    this.#control = new Control();
    const after = this.bus.on("step/end", ({ step }) => {
      this.#position = { stage, step: step + 1 };
      const due = (every: number) => every > 0 && (step + 1) % every === 0 && step + 1 < steps;
      if (due(settings.checkpointEvery)) this.#control?.checkpoint();
      if (due(settings.sampleEvery)) this.#control?.sample();
    });
    try {
      if (this.#position.step < steps) await this.trainer.prepare(stage);
      const next = await this.trainer.train(stage, {
        start: this.#position.step,
        control: this.#control,
        obey: async ({ type }, step) => {
          this.#position = { stage, step };
          if (type === "checkpoint") await this.checkpoint();
          if (type === "sample") await this.draw(learns, SAMPLES);
        },
      });
      this.#position = { stage, step: next };
      if (next < steps) return false;
      // What comes now can take long or fail; the training is safe. Weights that are not sound get no further.
      await this.checkpoint();
      return true;
    } finally {
      after();
      this.#control = undefined;
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
    const { stage, step } = this.#position;
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

  async #writeWeights(role: RoleName): Promise<void> {
    const player = this.trainer.players[role] as Player<unknown> | undefined;
    if (!this.#folder || !player?.layout.count) return;
    const info = { role, data: this.#dataset.shape, config: this.#request.resolved.config };
    await this.#folder.writeWeights(role, encodeWeights(await player.read("served"), info));
    for (const { copy, average } of player.averages)
      if (average.label !== undefined)
        await this.#folder.writeWeights(
          role,
          encodeWeights(await player.read(copy), info),
          average.label,
        );
  }

  /** Draws samples from a role's served weights, one set at a time. The teacher uses the configured sampler, the generator its own levels. */
  draw(role: "teacher" | "generator", count: number, seed?: number): Promise<Drawn> {
    return this.#evaluation.draw(role, { count, seed }, this.#position.step);
  }

  /** Judges real data, teacher and generator with every metric of the config. */
  judge(): Promise<Judgement[]> {
    const { evaluateCount } = this.#request.resolved.settings;
    return this.#evaluation.judge(evaluateCount, this.#position.step);
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
