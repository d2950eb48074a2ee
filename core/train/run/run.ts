import type { Container } from "../../di/mod.ts";
import type { OnestepError } from "../../errors.ts";
import type { Dataset } from "../../interfaces/dataset.ts";
import { METHOD } from "../../interfaces/method.ts";
import { METRICS } from "../../interfaces/metric.ts";
import { MONITORS } from "../../interfaces/monitor.ts";
import { OBSERVERS } from "../../interfaces/observer.ts";
import type { Claim } from "../../io/files.ts";
import { checkCounts, checkUsed } from "../config/checkPlugins.ts";
import type { RunFolder } from "../files/runFolder.ts";
import type { WeightsInfo } from "../files/weightsFile.ts";
import { Health } from "../health/health.ts";
import type { HealthWarning } from "../health/warnings.ts";
import { EventBus } from "../loop/bus.ts";
import type { Command } from "../loop/control.ts";
import { checkPassports } from "../ranks/passport.ts";
import { common } from "../ranks/ranks.ts";
import type { Judgement } from "../sampling/evaluation.ts";
import type { Drawn } from "../sampling/sampleDrawer.ts";
import { Divergence } from "../update/leftOut.ts";
import type { NamedTensors } from "../update/player.ts";
import { precisionNotice } from "../update/precision.ts";
import { learnersOf } from "../update/roles.ts";
import { Traces } from "../update/traces.ts";
import type { Trainer } from "../update/trainer.ts";
import { checkFolder, checkSpace } from "./checkFolder.ts";
import { changesTeacher, checkTeacher, untrainedNotes } from "./checkTeacher.ts";
import { composeRun } from "./compose.ts";
import { DeviceLosses } from "./deviceLosses.ts";
import { Equipment } from "./equipment.ts";
import { withAllParts } from "./missingParts.ts";
import { runPace, unlessStopped } from "./pace.ts";
import { checkCapacity, planRun } from "./planRun.ts";
import { Progress } from "./progress.ts";
import { Recovery } from "./recovery.ts";
import { type RunRequest, type SharedRequest, sharedRequest } from "./request.ts";
import { Saver } from "./saver.ts";
import { checkSelection, Selection } from "./selection.ts";
import { StageRunner } from "./stageRunner.ts";

/** What there is to clean up of a run that can't be made. */
interface Made {
  /** Whether its folder was there before. */
  wasThere?: boolean;
  claim?: Claim;
  container?: Container;
  run?: Run;
  /** Whether it goes on from a checkpoint. */
  resumes?: boolean;
  roles?: readonly string[];
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
  readonly #request: SharedRequest;
  readonly #losses: DeviceLosses;
  readonly #folder: RunFolder | undefined;
  readonly #equipment: Equipment;
  readonly #progress: Progress;
  readonly #saver: Saver;
  readonly #recovery: Recovery;
  readonly #selection: Selection;
  readonly #runner: StageRunner;
  readonly #health: Health;
  /** What was found when the run was made, to be told when it starts. */
  #notes: readonly string[] = [];
  #plannedBytes = 0;
  /** A loss of the device while it was made. */
  #lostEarly: OnestepError | undefined;

  private constructor(request: SharedRequest, losses: DeviceLosses, container: Container, traces: Traces) {
    this.#request = request;
    this.#losses = losses;
    const { bus } = this;
    const { ranks, folder } = request;
    this.#folder = folder;
    const { resolved, output, cache, backend, observers = [] } = request;
    const pace = runPace(bus, () => this.#runner.stopping);
    const stage = () => this.#progress.stage;
    const equipment = new Equipment({ resolved, cache, ranks, bus, pace, stage }, { backend, container }, traces);
    const progress = new Progress(() => equipment.trainer.method.stages);
    const saver = new Saver({ resolved, output, folder, equipment, progress, bus });
    const health = new Health(bus, container.all(MONITORS));
    const { settings } = resolved;
    const { sampleEvery } = settings;
    const selection = new Selection({ settings, folder, equipment, progress, saver, health, bus });
    this.#equipment = equipment;
    this.#progress = progress;
    this.#saver = saver;
    this.#health = health;
    this.#recovery = new Recovery({ request, folder, equipment, progress, saver, losses, bus });
    this.#selection = selection;
    this.#runner = new StageRunner({ bus, equipment, progress, saver, health, selection, sampleEvery });
    if (ranks.leads) for (const observer of [...container.all(OBSERVERS), ...observers]) observer.observe(bus);
  }

  /**
   * Checks folder and data, and loads what is to be resumed. Nothing is overwritten before everything was found sound, by all ranks.
   * @throws CheckpointError (E_PAIRS among them), OptionError, E_DATA, E_DEVICE_LIMIT when the device is too small for the run, or
   * E_RANKS when ranks disagree on what it is
   */
  static async create(request: RunRequest): Promise<Run> {
    const shared = await sharedRequest(request);
    const losses = new DeviceLosses(shared.reopen);
    let { backend } = request;
    let early: OnestepError | undefined;
    const run = await losses.through(
      () => Run.#create({ ...shared, backend }, losses),
      () => undefined,
      async (lost) => {
        early = lost;
        backend = await losses.reopen(lost, backend.info);
      },
    );
    run.#lostEarly = early;
    return run;
  }

  static async #create(request: SharedRequest, losses: DeviceLosses): Promise<Run> {
    const { ranks, folder } = request;
    const made: Made = {};
    try {
      const run = await ranks.together(() => Run.#prepare(request, losses, made));
      await checkPassports(ranks, request, run.#equipment);
      await ranks.led(() => run.#claim(made));
      await run.#recovery.share();
      return run;
    } catch (error) {
      await (made.run ?? made.container)?.dispose();
      await made.claim?.release();
      if (!made.wasThere) await folder?.leave();
      throw error;
    }
  }

  /** Composes, plans and checks the run of this process; rank 0 gives the roles their first weights. Nothing is written. */
  static async #prepare(request: SharedRequest, losses: DeviceLosses, made: Made): Promise<Run> {
    const { output, resolved, backend, data = {}, ranks, folder } = request;
    made.wasThere = folder && (await output!.files.exists(output!.path));
    made.claim = made.wasThere ? await folder!.claim() : undefined;
    const resumes = folder && (await checkFolder(folder, output?.existing)) === "resume";
    made.resumes = resumes;
    // A run that goes on has its weights; other ranks are given them.
    const config = resumes || !ranks.leads ? { ...resolved.config, start: {} } : resolved.config;
    const load = () => composeRun(resolved, backend, data, output);
    const container = await withAllParts(config, output?.files ?? data.files, load, {
      rolesOf: (each) => Object.keys(each.get(METHOD).roles),
      drop: (each) => each.dispose(),
    });
    made.container = container;
    // Finds now what would otherwise end the run after hours of training.
    const traces = new Traces();
    const plan = await planRun(container, resolved.settings, backend, traces);
    checkCapacity(plan, backend);
    checkUsed(container);
    checkCounts(container, resolved.settings.evaluateCount, request.memory);
    checkSelection(resolved.settings, container.all(METRICS));
    if (ranks.leads) for (const metric of container.all(METRICS)) await metric.ready?.();
    backend.expect?.(plan.peakBytes);
    made.roles = Object.keys(plan.parameters);
    const run = new Run(request, losses, container, traces);
    run.#plannedBytes = plan.peakBytes;
    made.run = run;
    if (!ranks.leads) return run;
    if (folder && !resumes) await checkFolder(folder, output?.existing, made.roles);
    if (resumes) run.#saver.open(made.claim);
    run.#notes = await run.#recovery.start(resumes);
    await run.#checkTeacher();
    return run;
  }

  /** Takes the folder, where all else is found sound. */
  async #claim(made: Made): Promise<void> {
    const { folder, output, resolved, data = {} } = this.#request;
    const { resumes, roles = [] } = made;
    if (!folder || !output) return;
    if (resumes) return folder.writeConfig(resolved.config, data.path);
    // A folder that was not there is made now.
    made.claim ??= await folder.claim();
    await checkFolder(folder, output.existing, roles);
    await checkSpace(folder, output.files, this.trainer);
    this.#saver.open(made.claim);
    await folder.begin(resolved.config, roles, data.path);
    if (output.existing === "resume")
      this.#notes = ["nothing was kept before it was stopped, so the run starts from its beginning"];
  }

  /** Where no update of this stage is still to change the teacher, losses that were made for one are asked about it. */
  async #checkTeacher(): Promise<void> {
    const { position, stage } = this.#progress;
    if (position.step < stage.steps && changesTeacher(stage)) return;
    const { container, ranks } = this.#equipment;
    if (ranks.leads) await checkTeacher(container, this.trainer, this.#request.resolved.config);
  }

  get dataset(): Dataset {
    return this.#equipment.dataset;
  }
  /** Another one after a loss of the device. */
  get trainer(): Trainer {
    return this.#equipment.trainer;
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
    this.#runner.send(command);
  }

  /** Runs to the end, or until `stop`. Rejects with the error that ended it; `run/failed` and `run/end` are emitted all the same. */
  async start(): Promise<RunResult> {
    const { settings, config } = this.#request.resolved;
    const { backend } = this.#equipment;
    const { ranks } = this.#equipment;
    const { stages } = this.#progress;
    this.bus.emit("run/start", {
      seed: settings.seed,
      steps: stages.reduce((sum, { steps }) => sum + steps, 0),
      stages: stages.map(({ name, steps }) => ({ name, steps })),
      device: `${backend.info.backend}: ${backend.info.name}${backend.info.software ? " (software)" : ""}`,
      plannedBytes: this.#plannedBytes,
      config: config as unknown as Record<string, unknown>,
    });
    const notice = precisionNotice(backend, settings);
    if (notice) this.bus.emit("run/warning", { source: "precision", message: notice });
    for (const note of this.#notes) this.#saver.warn(note);
    if (this.#lostEarly) this.#recovery.tellOf(this.#lostEarly);
    if (this.#progress.completed === 0)
      for (const message of untrainedNotes(this.trainer, config))
        this.bus.emit("run/warning", { source: "start", message });
    const end = async (reason: "complete" | "stopped" | "failed") => {
      this.bus.emit("run/end", { steps: this.#progress.completed, reason });
      await this.bus.settled();
    };
    try {
      const through = async () => {
        await this.checkpoint();
        const finished = await this.#train();
        const judgements = finished ? await ranks.led(() => unlessStopped(this.judge())) : undefined;
        // After judging, which draws samples, the states are what they were.
        await this.#saver.save(true);
        return judgements;
      };
      const judgements = this.#saver.keeper
        ? await this.#losses.through(
            through,
            () => this.#saver.keeper!.newest,
            (lost) => this.#recovery.goOnAfter(lost),
          )
        : await through();
      const { warnings } = this.#health;
      const { leftOut, rollbacks } = this.trainer;
      const device = this.#equipment.backend.info;
      const best = judgements && this.#folder ? await this.#selection.found() : {};
      const kept = Object.keys(best).length > 0 && { best };
      if (judgements) await this.#folder?.writeReport({ device, judgements, warnings, leftOut, rollbacks, ...kept });
      if (judgements) await this.#saver.keeper?.finish();
      const reason = judgements ? "complete" : "stopped";
      await end(reason);
      return { reason, judgements: judgements ?? [], warnings };
    } catch (cause) {
      // A verdict is the same on all ranks.
      if (cause instanceof Divergence) common(cause);
      await this.#saver.saveBefore(cause);
      const error = this.#saver.keeper?.advised(cause) ?? cause;
      this.bus.emit("run/failed", { step: this.#progress.position.step, error: error as Error });
      await end("failed");
      throw error;
    } finally {
      await this.#saver.release();
    }
  }

  /** Stage after stage; false when the run was stopped. */
  async #train(): Promise<boolean> {
    const progress = this.#progress;
    for (let place = progress.position.stage; place < progress.stages.length; place++) {
      const stage = progress.stages[place];
      if (place > progress.position.stage) {
        // Weights that the last stage has made are what this one begins with.
        await this.#equipment.ranks.led(() => this.trainer.begin(stage));
        progress.enter(place);
        await this.#recovery.share();
      }
      try {
        if (stage.steps > 0 && !(await this.#runner.run(stage))) return false;
      } catch (error) {
        await this.#recovery.rollBack(error);
        place = progress.position.stage - 1;
        continue;
      }
      // First the weights, which many a full disk has room for, then the checkpoint. Judging can take long or fail.
      for (const role of learnersOf(stage)) await this.#saver.writeWeights(role);
      if (stage.steps > 0) await this.#saver.save(place === progress.stages.length - 1);
      if (changesTeacher(stage)) await this.#equipment.ranks.led(() => this.#checkTeacher());
    }
    return true;
  }

  /**
   * Saves everything a resumed run needs. While a stage is on, ask its control for one instead. A disk that refuses is a warning
   * at first, see `CheckpointKeeper`.
   * @throws E_DIVERGED when a weight, or one of the last updates, is not finite; the checkpoint before is kept.
   */
  checkpoint(): Promise<void> {
    return this.#saver.save();
  }

  /** Draws samples from a role's served weights with the sampler that the method has for it, one set at a time. */
  draw(role: string, count: number, seed?: number): Promise<Drawn> {
    return this.#equipment.evaluation.draw(role, { count, seed }, this.#progress.stepOf(role));
  }

  /**
   * The weights that samples of a role are drawn with, and what their file would say of them; of adapters, with those below them.
   * @throws OptionError for a role that there is not, E_CHECKPOINT for one that has no weights
   */
  weights(role: string): Promise<{ readonly tensors: NamedTensors; readonly info: WeightsInfo }> {
    return this.#saver.weights(role);
  }

  /** Judges real data and the roles that draw samples with every metric of the config. */
  judge(): Promise<Judgement[]> {
    const { evaluateCount } = this.#request.resolved.settings;
    return this.#equipment.evaluation.judge(evaluateCount, (role) => this.#progress.stepOf(role));
  }

  async dispose(): Promise<void> {
    await this.#equipment.release();
    await this.#saver.release();
  }
}
