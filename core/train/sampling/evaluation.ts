import type { Resolver } from "../../di/resolver.ts";
import { ownSampler } from "../../diffusion/renoise.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { DATASET } from "../../interfaces/dataset.ts";
import type { Denoiser } from "../../interfaces/denoiser.ts";
import { GENERATOR } from "../../interfaces/generator.ts";
import { METRICS } from "../../interfaces/metric.ts";
import { SAMPLER } from "../../interfaces/sampler.ts";
import { hostRandom } from "../../random/hostRandom.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Player } from "../update/player.ts";
import type { Trainer } from "../update/trainer.ts";
import { type Drawn, type DrawRequest, drawBatch, SampleDrawer } from "./sampleDrawer.ts";

/** One line of a run's result: whose samples, at what cost, and what the metrics say. */
export interface Judgement {
  /** "data": as many real samples, the floor of every metric. */
  readonly who: "data" | "teacher" | "generator";
  /** Denoiser calls a sample; 0 for data. */
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

  /**
   * Draws samples from a role's served weights, and tells the bus. The teacher uses the configured sampler, the generator
   * its own levels.
   * @param step how far the run is, for the event
   */
  async draw(
    role: "teacher" | "generator",
    { count, seed = EVALUATION_SEED }: { count: number; seed?: number },
    step: number,
  ): Promise<Drawn> {
    const drawer = await this.#drawer(role, count);
    const drawn = await drawer.draw({ count, seed, ...(await this.#texts(count)) });
    const { shape, nfe, x } = drawn;
    this.#bus.emit("sample/drawn", { step, role, nfe, samples: { shape, read: async () => x } });
    return drawn;
  }

  /** Texts of the dataset's samples, in turn: the same for whoever draws. */
  async #texts(count: number): Promise<Pick<DrawRequest, "described" | "unconditional">> {
    const dataset = this.#container.get(DATASET);
    if (!dataset.shape.text) return {};
    const { described } = await dataset.batch(
      Int32Array.from({ length: count }, (_, i) => i % dataset.size),
      () => 0,
    );
    return { described, unconditional: dataset.unconditional };
  }

  /** Compiles what `draw` needs for so many samples of a role. */
  async prepare(role: "teacher" | "generator", count: number): Promise<void> {
    await this.#drawer(role, count);
  }

  async #drawer(role: "teacher" | "generator", count: number): Promise<SampleDrawer> {
    const { shape } = this.#container.get(DATASET);
    const batch = drawBatch(shape, count);
    const key = `${role} ${batch}`;
    let drawer = this.#drawers.get(key);
    if (!drawer) {
      const { memory, players } = this.#trainer;
      const sampler =
        role === "teacher"
          ? this.#container.get(SAMPLER)
          : ownSampler(this.#container.get(GENERATOR));
      const player = players[role] as Player<Denoiser>;
      drawer = await SampleDrawer.create(this.#backend, memory, player, sampler, shape, batch);
      this.#drawers.set(key, drawer);
    }
    return drawer;
  }

  /** Judges real data, teacher and generator with every metric of the config, on `count` samples each. */
  async judge(count: number, step: number): Promise<Judgement[]> {
    const dataset = this.#container.get(DATASET);
    const real = await dataset.batch(count, hostRandom(EVALUATION_SEED, 0, 0));
    const data = { shape: [count, ...dataset.shape.sample], nfe: 0, ...real };
    const sets: { who: Judgement["who"]; drawn: Drawn }[] = [
      { who: "data", drawn: data },
      { who: "teacher", drawn: await this.draw("teacher", { count }, step) },
    ];
    if (this.#trainer.players.generator)
      sets.push({ who: "generator", drawn: await this.draw("generator", { count }, step) });
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
