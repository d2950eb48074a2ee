import type { Stage, Turn } from "../../interfaces/method.ts";
import type { Scalars } from "./events.ts";
import type { TurnAt } from "./schedule.ts";

/** What is remembered of a number that turns wait for. */
export interface Watched {
  /** Mean of its latest values; absent before the first. */
  readonly recent?: number;
  /** The least that this mean has been, which is slowly forgotten. */
  readonly least?: number;
  /** Updates that showed it since the last turn that waits for it. */
  readonly since: number;
}

/** Share of the mean that stays from value to value, and by which the least grows. */
const MEMORY = 0.9;
const FORGETTING = 1e-3;

/** Moments that are remembered: a device may run ahead by a few updates before one of them is known to have failed. */
const MOMENTS = 64;

/**
 * Which turns of a stage are taken, where some wait for another role (`Turn.waits`). It knows nothing but the values that updates
 * have shown, so that a run repeats, and its state is plain numbers, so that a resumed run goes on alike.
 */
export class Pacing {
  /** By key: turns that are alike wait together. */
  readonly #waits: ReadonlyMap<string, NonNullable<Turn["waits"]>>;
  readonly #watched = new Map<string, Watched>();
  /** As it was before each of the latest turns. */
  readonly #before = new Map<string, Pacing["state"]>();

  /** @param state as `state` gave it, in the same stage */
  constructor({ cycle }: Pick<Stage, "cycle">, state: Readonly<Record<string, Watched>> = {}) {
    const turns = cycle.flat();
    this.#waits = new Map(turns.flatMap(({ role, waits }) => (waits ? [[keyOf(role, waits), waits] as const] : [])));
    for (const key of this.#waits.keys()) this.#watched.set(key, Object.hasOwn(state, key) ? state[key] : { since: 0 });
  }

  /** Whether a turn is taken now; one that is begins to wait anew. */
  takes({ turn: { role, waits }, step, place }: TurnAt): boolean {
    this.#before.set(`${step} ${place}`, this.state);
    if (this.#before.size > MOMENTS) this.#before.delete(this.#before.keys().next().value!);
    if (!waits) return true;
    const key = keyOf(role, waits);
    const watched = this.#watched.get(key)!;
    const { recent, least, since } = watched;
    const follows = recent !== undefined && least !== undefined && recent <= least * (1 + waits.above);
    if (since < waits.most && !(since >= waits.least && follows)) return false;
    this.#watched.set(key, { ...watched, since: 0 });
    return true;
  }

  /** Takes note of what an update of a role has shown; a value that is not finite counts as an update alone. */
  async saw(role: string, shown: Scalars): Promise<void> {
    for (const [key, waits] of this.#waits) {
      if (waits.role !== role) continue;
      const value = await shown[waits.loss]?.read();
      const { recent, least, since } = this.#watched.get(key)!;
      const next = Number.isFinite(value) ? mixed(recent, value) : recent;
      const grown = least === undefined ? next : Math.min(least * (1 + FORGETTING), next ?? Infinity);
      this.#watched.set(key, { recent: next, least: grown, since: since + 1 });
    }
  }

  get state(): Readonly<Record<string, Watched>> {
    return Object.fromEntries(this.#watched);
  }

  /** The state before a turn, to go on there: that turn may have failed after it was taken. The present one for a turn to come. */
  before({ step, place }: Pick<TurnAt, "step" | "place">): Pacing["state"] {
    return this.#before.get(`${step} ${place}`) ?? this.state;
  }
}

const keyOf = (who: string, { role, loss }: NonNullable<Turn["waits"]>): string => `${who} for ${role}/${loss}`;
const mixed = (recent: number | undefined, value: number): number =>
  recent === undefined ? value : MEMORY * recent + (1 - MEMORY) * value;
