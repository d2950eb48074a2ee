import type { Balancer } from "../../interfaces/balancer.ts";
import type { Stage } from "../../interfaces/method.ts";
import type { EventBus } from "../loop/bus.ts";
import type { Scalars } from "../loop/events.ts";
import type { TurnAt } from "../loop/schedule.ts";
import type { Ranks } from "../ranks/ranks.ts";
import { scalarsOf } from "./scalarsOf.ts";
import type { TurnPrograms } from "./turnPrograms.ts";
import type { UpdateInputs } from "./updateInputs.ts";

/** What a diagnoser works with. */
export interface DiagnoserRequest {
  readonly programs: TurnPrograms;
  readonly inputs: UpdateInputs;
  readonly bus: EventBus;
  /** The role whose losses are balanced. */
  readonly maker: string | undefined;
  readonly ranks: Ranks;
  readonly balancers: readonly Balancer[];
  /** Factors of the losses as they are now, by name. */
  readonly weights: () => Readonly<Record<string, number>>;
  readonly setWeight: (loss: string, weight: number) => void;
}

/** Losses and their new weights. */
type Weights = readonly (readonly [string, number])[];

/** Looks inside updates while a run goes on, and lets balancers change the weights of losses by what it sees. */
export class Diagnoser {
  readonly #request: DiagnoserRequest;

  constructor(request: DiagnoserRequest) {
    this.#request = request;
  }

  /** Looks inside the update that comes next, with its draws, its images and its numbers, and tells the bus. Rank 0 does. */
  async look(stage: Stage, at: TurnAt, numbers: Readonly<Record<string, number>>): Promise<void> {
    const { ranks, setWeight } = this.#request;
    const weights = await ranks.led(() => this.#look(stage, at, numbers));
    if (!ranks.leads) for (const [loss, weight] of weights) setWeight(loss, weight);
  }

  /** Looks, and gives the weights that balancers have set. */
  async #look(stage: Stage, at: TurnAt, numbers: Readonly<Record<string, number>>): Promise<Weights> {
    const { programs, inputs, bus, maker } = this.#request;
    const { run, reads, scalars, outputs } = await programs.diagnosis(stage, at.turn);
    await run.run({
      ...(await inputs(stage, at, reads)(0)),
      scalars: scalars.encode(numbers),
    });
    const values = scalarsOf(run, outputs);
    const { role } = at.turn;
    bus.emit("role/diagnosed", { stage: stage.name, role, step: at.step, values });
    return role === maker ? this.#rebalance(at.step, values) : [];
  }

  async #rebalance(step: number, scalars: Scalars): Promise<Weights> {
    const { balancers, bus, weights, setWeight } = this.#request;
    const set: [string, number][] = [];
    if (balancers.length === 0) return set;
    const read = Object.entries(scalars).map(async ([name, each]) => [name, await each.read()]);
    const values = Object.fromEntries(await Promise.all(read));
    for (const balancer of balancers)
      for (const [loss, weight] of Object.entries(balancer.rebalance(values, weights()))) {
        setWeight(loss, weight);
        set.push([loss, weight]);
        bus.emit("loss/reweighted", { step, loss, weight });
      }
    return set;
  }
}
