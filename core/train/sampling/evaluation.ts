import type { Resolver } from "../../di/resolver.ts";
import type { Backend } from "../../interfaces/backend.ts";
import { DATASET } from "../../interfaces/dataset.ts";
import type { Denoiser } from "../../interfaces/denoiser.ts";
import type { Method, Stage } from "../../interfaces/method.ts";
import { METRICS, type Metric, type SampleSet } from "../../interfaces/metric.ts";
import { paceOf } from "../../interfaces/pace.ts";
import type { Sampler } from "../../interfaces/sampler.ts";
import { hostRandom } from "../../random/hostRandom.ts";
import { batchRows } from "../batch/turnInputs.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Player } from "../update/player.ts";
import { joining, learnersOf } from "../update/roles.ts";
import type { Trainer } from "../update/trainer.ts";
import { type Previews, previewsOf } from "./previews.ts";
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

/** The seed of all samples that are shown and judged: drawing noise is not training noise. */
export const EVALUATION_SEED = 99;

/** How a method draws samples of a role, from weights of a stage; as at its end where the stage is not known. */
export const samplerOf = ({ stages, samplers }: Method, role: string, stage?: string): Sampler =>
  stages.find(({ name }) => name === stage)?.samplers?.[role] ?? samplers[role];

/** What metrics say of a set of samples that comes in portions: all their numbers in one record. */
export async function judgeSamples(
  metrics: readonly Metric[],
  samples: Iterable<SampleSet> | AsyncIterable<SampleSet>,
): Promise<Record<string, number>> {
  const judgings = metrics.map((metric) => metric.begin());
  for await (const portion of samples) for (const judging of judgings) await judging.take(portion);
  const found: Record<string, number> = {};
  for (const judging of judgings) Object.assign(found, await judging.result());
  return found;
}

/** Draws samples from the roles of a run, and has its metrics judge them. */
export class Evaluation {
  readonly #container: Resolver;
  readonly #backend: Backend;
  readonly #trainer: Trainer;
  readonly #bus: EventBus;
  readonly #stage: () => Stage | undefined;
  readonly #most: number | undefined;
  readonly #drawers = new Map<Sampler, Map<string, SampleDrawer>>();

  /**
   * @param stage the one that is on
   * @param most samples that are drawn at a time at most, `train.drawBatch`
   */
  constructor(
    container: Resolver,
    backend: Backend,
    trainer: Trainer,
    bus: EventBus,
    stage: () => Stage | undefined = () => undefined,
    most?: number,
  ) {
    this.#container = container;
    this.#backend = backend;
    this.#trainer = trainer;
    this.#bus = bus;
    this.#stage = stage;
    this.#most = most;
  }

  /** The roles that are judged: those with a sampler, unless a later stage replaces their weights by another role's. */
  get judged(): readonly string[] {
    const { samplers, stages } = this.#trainer.method;
    const replaced = stages.flatMap((stage) =>
      Object.entries(stage.begins ?? {}).filter(
        ([role, source]) => role !== source && !joining(this.#trainer.method, stage).includes(role),
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
    this.#tell(role, drawn, step);
    return drawn;
  }

  #tell(role: string, { shape, nfe, x }: Drawn, step: number): void {
    this.#bus.emit("sample/drawn", { step, role, nfe, samples: { shape, read: async () => x } });
  }

  /** Conditions of the dataset's samples in turn, the same for every role. Those with classes only need no data. */
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

  /** The role whose samples are shown while a stage is on, and when. */
  previews(stage: Stage, every: number | undefined): (Previews & { readonly role: string }) | undefined {
    const role = this.shownIn(stage);
    if (role === undefined) return undefined;
    const { steps, batch } = stage;
    const samplerSteps = samplerOf(this.#trainer.method, role, stage.name).steps.length;
    const { sample } = this.#container.get(DATASET).shape;
    const found = previewsOf({ steps, batch, samplerSteps, sample, every });
    return found && { ...found, role };
  }

  /** Compiles what `draw` needs for so many samples of a role. */
  async prepare(role: string, count: number): Promise<void> {
    await this.#drawer(role, count);
  }

  async #drawer(role: string, count: number): Promise<SampleDrawer> {
    const { shape } = this.#container.get(DATASET);
    const batch = drawBatch(shape, count, this.#most);
    const { memory, players, method, traces } = this.#trainer;
    const sampler = samplerOf(method, role, this.#stage()?.name);
    const drawers = this.#drawers.get(sampler) ?? new Map<string, SampleDrawer>();
    this.#drawers.set(sampler, drawers);
    const key = `${role} ${batch}`;
    let drawer = drawers.get(key);
    if (!drawer) {
      const player = players[role] as Player<Denoiser>;
      drawer = await SampleDrawer.create(this.#backend, memory, player, sampler, shape, batch, { traces });
      drawers.set(key, drawer);
    }
    return drawer;
  }

  /**
   * Judges real data, where there are some, and every judged role with every metric of the config, on `count` samples each. Samples go to the
   * metrics as they are drawn; the bus is shown the first batch of a role.
   */
  async judge(count: number, stepOf: (role: string) => number): Promise<Judgement[]> {
    const metrics = this.#container.all(METRICS);
    const judgements: Judgement[] = [];
    if (!this.#container.get(DATASET).conditionsOnly)
      judgements.push({ who: "data", nfe: 0, count, metrics: await judgeSamples(metrics, this.#real(count)) });
    for (const who of this.judged) judgements.push(await this.judgeRole(who, count, stepOf(who)));
    for (const judgement of judgements) this.#bus.emit("samples/judged", judgement);
    return judgements;
  }

  /** Judges one role as it is now; the bus is shown the first batch of it. */
  async judgeRole(who: string, count: number, step: number): Promise<Judgement> {
    const { nfe } = await this.#drawer(who, count);
    const found = await judgeSamples(this.#container.all(METRICS), this.#drawn(who, count, step));
    return { who, nfe, count, metrics: found };
  }

  async *#real(count: number): AsyncGenerator<SampleSet> {
    const dataset = this.#container.get(DATASET);
    const rows = batchRows(dataset, count, hostRandom(EVALUATION_SEED, 0, 0));
    const size = drawBatch(dataset.shape, count, this.#most);
    const pace = paceOf(this.#container);
    for (let first = 0; first < count; first += size) {
      const end = Math.min(first + size, count);
      await pace("judging real data", first, count);
      yield { ...(await rows(first, end)), shape: [end - first, ...dataset.shape.sample] };
    }
  }

  async *#drawn(role: string, count: number, step: number): AsyncGenerator<SampleSet> {
    const drawer = await this.#drawer(role, count);
    const pace = paceOf(this.#container);
    const told = (done: number) => pace(`judging the ${role}`, done, count);
    const request = { count, seed: EVALUATION_SEED, pace: told, ...(await this.#conditions(count)) };
    let first = true;
    for await (const drawn of drawer.batches(request)) {
      if (first) this.#tell(role, drawn, step);
      first = false;
      yield drawn;
    }
  }

  dispose(): void {
    for (const drawers of this.#drawers.values()) for (const drawer of drawers.values()) drawer.dispose();
    this.#drawers.clear();
  }
}
