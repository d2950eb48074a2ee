import { failure, OnestepError, suggestion } from "../../errors.ts";
import type { Claim } from "../../io/files.ts";
import { type BaseInfo, describeBase } from "../files/baseWeights.ts";
import type { RunFolder } from "../files/runFolder.ts";
import type { BestOf, WeightsInfo } from "../files/weightsFile.ts";
import type { EventBus } from "../loop/bus.ts";
import { isCommon } from "../ranks/ranks.ts";
import { RankFailure } from "../ranks/sharedBatch.ts";
import { Divergence } from "../update/leftOut.ts";
import type { NamedTensors } from "../update/player.ts";
import type { Equipment } from "./equipment.ts";
import { CheckpointKeeper, type Snapshot } from "./keeper.ts";
import type { Progress } from "./progress.ts";
import type { RunRequest } from "./request.ts";
import { playersUpTo } from "./resume.ts";

/** Where warnings about checkpoints come from. */
export const CHECKPOINT = "checkpoint";

/** What a saver works on. */
export interface SaverRequest extends Pick<RunRequest, "resolved" | "output"> {
  readonly folder: RunFolder | undefined;
  readonly equipment: Equipment;
  readonly progress: Progress;
  readonly bus: EventBus;
}

/** Writes what a run keeps of its states: checkpoints with all that a resumed run needs, and the weights of its roles. */
export class Saver {
  readonly #request: SaverRequest;
  #claim: Claim | undefined;
  #keeper: CheckpointKeeper | undefined;
  /** What files of adapted roles say of their bases, by role. */
  readonly #bases: Record<string, Omit<BaseInfo, "file">> = {};

  constructor(request: SaverRequest) {
    this.#request = request;
  }

  /** Begins to keep checkpoints in the run's folder, which this process has claimed; once more after a loss of the device. */
  open(claim: Claim | undefined = this.#claim): CheckpointKeeper {
    const { output, folder, resolved } = this.#request;
    this.#claim = claim;
    this.#keeper = new CheckpointKeeper({
      files: output!.files,
      folder: folder!.checkpoint,
      run: folder!.path,
      settings: resolved.settings,
      claim,
      warn: (message) => this.warn(message),
    });
    return this.#keeper;
  }

  /** Absent in a run that keeps nothing. */
  get keeper(): CheckpointKeeper | undefined {
    return this.#keeper;
  }

  /** Tells of what the run survives. */
  warn(message: string): void {
    this.#request.bus.emit("run/warning", { source: CHECKPOINT, message });
  }

  /**
   * Saves everything a resumed run needs. A disk that refuses is a warning at first, see `CheckpointKeeper`.
   * @throws E_DIVERGED when a weight, or one of the last updates, is not finite; the checkpoint before is kept.
   */
  async save(last = false): Promise<void> {
    const { progress, equipment } = this.#request;
    const { trainer, ranks } = equipment;
    if (!this.#keeper && !ranks.several) return;
    await trainer.settled();
    if (progress.position.turn) await trainer.gatherKept(progress.stage);
    await ranks.led(() => this.#save(last));
  }

  async #save(last: boolean): Promise<void> {
    if (!this.#keeper) return;
    const { progress, resolved, bus } = this.#request;
    const { trainer } = this.#request.equipment;
    const { stage, step, turn } = progress.position;
    const players = playersUpTo(trainer, stage);
    const { rollbacks, leftOut } = trainer;
    const pacing = trainer.pacingAt(progress.stage, { step, place: turn ?? 0 });
    const manifest: Snapshot["manifest"] = {
      stage: progress.stage.name,
      step,
      ...(turn && { turn }),
      ...(rollbacks && { rollbacks }),
      ...(pacing && { pacing }),
      ...(Object.keys(leftOut).length > 0 && { leftOut }),
      stages: progress.stages.map(({ name, steps }) => ({ name, steps })),
      updates: Object.fromEntries(players.map(({ name, updates }) => [name, updates])),
      weights: Object.fromEntries(trainer.changedWeights),
      config: resolved.config,
    };
    const states = trainer.sources(players, progress.stage, turn);
    const saved = await this.#keeper.save({ manifest, states }, last);
    if (!saved) return;
    progress.orders = progress.orders.filter((order) => order.step >= step);
    bus.emit("checkpoint/saved", { step, ...saved });
  }

  /**
   * A file of the data that can't be read ends a run, and so does an update that is not finite; that need not cost what it has
   * done before.
   */
  async saveBefore(error: unknown): Promise<void> {
    const { progress, equipment } = this.#request;
    const { ranks } = equipment;
    // The others know nothing of it, and wait elsewhere.
    if (ranks.several && !isCommon(error)) return;
    if (error instanceof Divergence || error instanceof RankFailure) progress.standAt(error);
    else if (!(error instanceof OnestepError && ["E_DATA", "E_FILE"].includes(error.code)) || progress.midStep) return;
    if (await ranks.told(this.#keeper?.failing ?? false)) return;
    await this.save(true).catch((why) => this.warn(`the last steps are not kept: ${(why as Error).message}`));
  }

  /** Writes the weights that a role is served with, and those of its other averages; of an adapted role, what it does not share. */
  writeWeights(role: string): Promise<void> {
    return this.#request.equipment.ranks.led(() => this.#writeWeights(role));
  }

  async #writeWeights(role: string): Promise<void> {
    const { folder, equipment } = this.#request;
    const player = equipment.trainer.players[role];
    if (!folder || !player.layout.count) return;
    await folder.writeWeights(player.stored("served"), await this.#infoOf(role, folder));
    for (const { copy, average } of player.averages)
      if (average.label !== undefined)
        await folder.writeWeights(player.stored(copy), await this.#infoOf(role, folder, "../"), average.label);
  }

  /** The weights that a role is served with, in memory, those that it shares among them. Throws as `Run.weights`. */
  async weights(role: string): Promise<{ tensors: NamedTensors; info: WeightsInfo }> {
    const { players } = this.#request.equipment.trainer;
    if (!Object.hasOwn(players, role))
      throw failure(
        "E_OPTION",
        `Cannot read the weights of "${role}": roles are ${Object.keys(players).join(", ")}${suggestion(role, Object.keys(players))}`,
      );
    const { base, layout } = players[role];
    if (!base && !layout.count) throw failure("E_CHECKPOINT", `Cannot read the weights of the ${role}: it has none`);
    const tensors = await players[role].read("served");
    if (base) {
      const shared = await base.player.read("served");
      for (const [name, parameter] of base.parameters) tensors[name] = shared[parameter.name];
    }
    return { tensors, info: this.#about(role) };
  }

  /** @param way from the folder of the weights to that of the run */
  async #infoOf(role: string, folder: RunFolder, way = ""): Promise<WeightsInfo> {
    const info = this.#about(role);
    const { base } = this.#request.equipment.trainer.players[role];
    if (!base) return info;
    // Nothing moves what is shared.
    const described = (this.#bases[role] ??= await describeBase(base));
    return { ...info, base: { file: `${way}${folder.weightsName(base.player.name)}`, ...described } };
  }

  /** What the weights of a role, as they are now, say of themselves. */
  #about(role: string): WeightsInfo {
    const { equipment, progress, resolved } = this.#request;
    return { role, stage: progress.stage.name, data: equipment.dataset.shape, config: resolved.config };
  }

  /** Writes the weights that a role is served with as the best of a run that goes on. */
  async writeBest(role: string, best: BestOf): Promise<void> {
    const { folder, equipment } = this.#request;
    if (!folder) return;
    const info = { ...(await this.#infoOf(role, folder)), best };
    await folder.writeBest(equipment.trainer.players[role].stored("served"), info);
  }

  /** Lets other processes have the folder. */
  async release(): Promise<void> {
    await this.#claim?.release();
  }
}
