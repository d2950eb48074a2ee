import type { Resolver } from "../../di/resolver.ts";
import { failure, suggestion } from "../../errors.ts";
import type { Stage } from "../../interfaces/method.ts";
import { METRICS, type Metric } from "../../interfaces/metric.ts";
import type { RunSettings } from "../config/trainOptions.ts";
import type { RunFolder } from "../files/runFolder.ts";
import type { BestOf } from "../files/weightsFile.ts";
import type { Health } from "../health/health.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Equipment } from "./equipment.ts";
import { unlessStopped } from "./pace.ts";
import type { Progress } from "./progress.ts";
import type { Saver } from "./saver.ts";

/** What a selection works on. */
export interface SelectionRequest {
  readonly settings: Settings;
  readonly folder: RunFolder | undefined;
  readonly equipment: Equipment;
  readonly progress: Progress;
  readonly saver: Saver;
  readonly health: Health;
  readonly bus: EventBus;
}

type Settings = Pick<RunSettings, "evaluateEvery" | "evaluateEveryCount" | "keepBest">;

/** The number by which weights are chosen, and whether a larger one is better. */
interface Wish {
  readonly metric: string;
  readonly order?: "largest" | "smallest";
}

/**
 * Judges the learner of a stage every so many steps, and keeps its best weights beside the last. What is drawn for it has streams
 * and memory of its own, so no update depends on it. The best so far is told by the file of its weights, so that a run that was
 * stopped goes on with it.
 */
export class Selection {
  readonly #request: SelectionRequest;
  readonly #wish: Wish | undefined;
  /** The best of each role, in the stage that it learned in last. */
  readonly #best = new Map<string, BestOf & { readonly stage: string }>();

  constructor(request: SelectionRequest) {
    this.#request = request;
    this.#wish = wishOf(request.settings.keepBest);
  }

  /** Whether the learner is judged before a step of its stage; where weights are chosen, before the first too. */
  isDue(step: number): boolean {
    const { evaluateEvery } = this.#request.settings;
    return evaluateEvery > 0 && step % evaluateEvery === 0 && (step > 0 || this.#wish !== undefined);
  }

  /** At the end of a stage it is judged, unless it never is. */
  get isOn(): boolean {
    return this.#request.settings.evaluateEvery > 0;
  }

  /**
   * Judges the learner of the stage as it is now, and keeps its weights if they are the best.
   * @throws E_OPTION where no metric gives the number by which weights are chosen
   */
  async judge(stage: Stage): Promise<void> {
    const { settings, equipment, progress, health, bus } = this.#request;
    const { evaluation } = equipment;
    const role = evaluation.shownIn(stage);
    if (role === undefined) return;
    const began = performance.now();
    const judged = evaluation.judgeRole(role, settings.evaluateEveryCount, progress.stepOf(role));
    const judgement = await unlessStopped(judged);
    if (!judgement) return;
    const { nfe, count, metrics } = judgement;
    const best = await this.#choose(role, stage.name, metrics);
    health.note(Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`judged/${name}`, value])));
    const seconds = (performance.now() - began) / 1000;
    const { step } = progress.position;
    bus.emit("learner/judged", { stage: stage.name, role, step, nfe, count, metrics, seconds, best });
  }

  /** What the best weights are, by role, with the names of the files in the run's folder that hold them. */
  async found(): Promise<Readonly<Record<string, BestOf & { readonly stage: string; readonly file?: string }>>> {
    const { folder, equipment } = this.#request;
    if (!this.#wish) return {};
    const roles = equipment.evaluation.judged;
    const entries = await Promise.all(
      roles.map(async (role) => [role, this.#best.get(role) ?? (await folder?.bestOf(role))] as const),
    );
    return Object.fromEntries(
      entries.flatMap(([role, best]) =>
        best ? [[role, { ...best, ...(folder && { file: folder.bestName(role) }) }]] : [],
      ),
    );
  }

  /** Whether these numbers are the best so far of this role in this stage; then its weights are kept. */
  async #choose(role: string, stage: string, metrics: Readonly<Record<string, number>>): Promise<boolean> {
    if (!this.#wish) return false;
    const { folder, equipment, progress, saver } = this.#request;
    const { metric } = this.#wish;
    if (!Object.hasOwn(metrics, metric)) {
      const names = Object.keys(metrics);
      throw failure(
        "E_OPTION",
        `Cannot keep the best by ${metric}: it is not one of ${names.join(", ")}${suggestion(metric, names)}`,
        { fix: "set train.keepBest to a number that a metric of the run gives" },
      );
    }
    const { step } = progress.position;
    // Before the first step only the name is looked at.
    if (step === 0 || !Number.isFinite(metrics[metric])) return false;
    const before = this.#best.get(role) ?? (await folder?.bestOf(role));
    const sameStage = before?.stage === stage && before.metric === metric ? before : undefined;
    const sign = this.#order(equipment.container) === "largest" ? 1 : -1;
    if (sameStage && sign * metrics[metric] <= sign * sameStage.value) {
      this.#best.set(role, sameStage);
      return false;
    }
    const best = { metric, value: metrics[metric], step };
    await saver.writeBest(role, best);
    this.#best.set(role, { ...best, stage });
    return true;
  }

  #order(container: Resolver): Wish["order"] {
    const { metric, order } = this.#wish!;
    return order ?? (container.all(METRICS).some(({ larger }) => larger?.includes(metric)) ? "largest" : "smallest");
  }
}

function wishOf(text: string): Wish | undefined {
  if (text === "") return undefined;
  const [, metric, order] = text.match(/^(.*?)(?::(largest|smallest))?$/s)!;
  return { metric, order: order as Wish["order"] };
}

/**
 * Whether judging on a schedule, and choosing by it, can be done.
 * @throws E_OPTION
 */
export function checkSelection(
  { evaluateEvery, evaluateEveryCount, keepBest }: Settings,
  metrics: readonly Metric[],
): void {
  const refuse = (why: string, fix: string) => failure("E_OPTION", `Cannot configure train: ${why}`, { fix });
  if (keepBest !== "" && evaluateEvery === 0)
    throw refuse(
      `keepBest is ${keepBest}, and evaluateEvery is 0: nothing is judged while the run goes on`,
      "set train.evaluateEvery=N, or leave keepBest out",
    );
  if (evaluateEvery === 0) return;
  if (metrics.length === 0)
    throw refuse(`evaluateEvery is ${evaluateEvery}, and the run has no metric`, "add one with --set metrics.NAME={}");
  for (const { name, least = 1 } of metrics)
    if (evaluateEveryCount < least)
      throw refuse(
        `evaluateEveryCount is ${evaluateEveryCount}, the metric ${name} needs at least ${least} samples`,
        `set train.evaluateEveryCount=${least} or more, or leave the metric out with --set metrics.${name}=off`,
      );
}
