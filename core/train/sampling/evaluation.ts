import type { Resolver } from "../../di/resolver.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { DATASET } from "../../interfaces/dataset.ts";
import type { Denoiser } from "../../interfaces/denoiser.ts";
import type { Stage } from "../../interfaces/method.ts";
import { METRICS } from "../../interfaces/metric.ts";
import { hostRandom } from "../../random/hostRandom.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Player } from "../update/player.ts";
import type { Trainer } from "../update/trainer.ts";
import { learnersOf } from "../update/turnContext.ts";
import { type Drawn, type DrawRequest, drawBatch, SampleDrawer } from "./sampleDrawer.ts";

/** One line of a run's result: whose samples, at what cost, and what the metrics say. */
export interface Judgement {
  /** A role, or "data": as many real samples, the floor of every metric. */
  readonly who: string;
  /** Denoiser calls per sample; 0 for data. */
  readonly nfe: number;
  readonly count: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Samples drawn while a stage is on. */
export const SAMPLES = 100;
/** Drawing noise is not training noise. */
const EVALUATION_SEED = 99;

/** Draws samples from the roles of a run, and has its metrics judge them. */
export class Evaluation {
  readonly #container: Resolver;
  readonly #backend: Backend;
  readonly #trainer: Trainer;
  readonly #bus: EventBus;
  readonly #drawers = new Map<string, SampleDrawer>();

  constructor(container: Resolver, backend: Backend, trainer: Trainer, bus: EventBus) {
    this.#container = container;
    this.#backend = backend;
    this.#trainer = trainer;
    this.#bus = bus;
  }

  /** The roles that are judged: those with a sampler, unless a later stage replaces their weights by another role's. */
  get judged(): readonly string[] {
    const { samplers, stages } = this.#trainer.method;
    const replaced = stages.flatMap((stage) =>
      Object.entries(stage.begins ?? {}).filter(
        ([role, source]) => role !== source && !this.#trainer.joining(stage).includes(role),
      ),
    );
    return Object.keys(samplers).filter((role) => !replaced.some(([name]) => name === role));
  }

  /** The learner of a stage whose samples show how far it is. */
  shownIn(stage: Stage): string | undefined {
    const { samplers } = this.#trainer.method;
    return [...learnersOf(stage)].find((role) => Object.hasOwn(samplers, role));
  }

  /**
   * Draws samples from a role's served weights, with the sampler that the method has for it, and tells the bus.
   * @param step how far the run is, for the event
   */
  async draw(
    role: string,
    { count, seed = EVALUATION_SEED }: { count: number; seed?: number },
    step: number,
  ): Promise<Drawn> {
    const drawer = await this.#drawer(role, count);
    const drawn = await drawer.draw({ count, seed, ...(await this.#conditions(count)) });
    const { shape, nfe, x } = drawn;
    this.#bus.emit("sample/drawn", { step, role, nfe, samples: { shape, read: async () => x } });
    return drawn;
  }

  /** Conditions of the dataset's samples, in turn: the same for whoever draws. Those that can be counted off need no data. */
  async #conditions(count: number): Promise<Pick<DrawRequest, "condition" | "empty">> {
    const dataset = this.#container.get(DATASET);
    const entries = Object.values(dataset.shape.condition);
    if (entries.every(({ classes }) => classes !== undefined)) return {};
    const { condition } = await dataset.batch(
      Int32Array.from({ length: count }, (_, i) => i % dataset.size),
      () => 0,
    );
    return { condition, empty: dataset.empty };
  }

  /** Compiles what `draw` needs for so many samples of a role. */
  async prepare(role: string, count: number): Promise<void> {
    await this.#drawer(role, count);
  }

  async #drawer(role: string, count: number): Promise<SampleDrawer> {
    const { shape } = this.#container.get(DATASET);
    const batch = drawBatch(shape, count);
    const key = `${role} ${batch}`;
    let drawer = this.#drawers.get(key);
    if (!drawer) {
      const { memory, players, method } = this.#trainer;
      const player = players[role] as Player<Denoiser>;
      const sampler = method.samplers[role];
      drawer = await SampleDrawer.create(this.#backend, memory, player, sampler, shape, batch);
      this.#drawers.set(key, drawer);
    }
    return drawer;
  }

  /** Judges real data and every judged role with every metric of the config, on `count` samples each. */
  async judge(count: number, step: number): Promise<Judgement[]> {
    const dataset = this.#container.get(DATASET);
    const real = await dataset.batch(count, hostRandom(EVALUATION_SEED, 0, 0));
    const data = { shape: [count, ...dataset.shape.sample], nfe: 0, ...real };
    const sets: { who: string; drawn: Drawn }[] = [{ who: "data", drawn: data }];
    for (const role of this.judged)
      sets.push({ who: role, drawn: await this.draw(role, { count }, step) });
    const judgements: Judgement[] = [];
    for (const { who, drawn } of sets) {
      const metrics: Record<string, number> = {};
      for (const metric of this.#container.all(METRICS))
        Object.assign(metrics, await metric.evaluate(drawn));
      const judgement = { who, nfe: drawn.nfe, count, metrics };
      judgements.push(judgement);
      this.#bus.emit("samples/judged", judgement);
    }
    return judgements;
  }

  dispose(): void {
    for (const drawer of this.#drawers.values()) drawer.dispose();
    this.#drawers.clear();
  }
}
