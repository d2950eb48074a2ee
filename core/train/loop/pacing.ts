import type { Stage, Turn } from "../../interfaces/method.ts";
import type { Scalars } from "./events.ts";

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

/**
 * Which turns of a stage are taken, where some wait for another role (`Turn.waits`). It knows nothing but the values that updates
 * have shown, so that a run repeats, and its state is plain numbers, so that a resumed run goes on alike.
 */
export class Pacing {
  readonly #waits: readonly NonNullable<Turn["waits"]>[];
  readonly #watched = new Map<string, Watched>();

  /** @param state as `state` gave it, in the same stage */
  constructor({ cycle }: Pick<Stage, "cycle">, state: Readonly<Record<string, Watched>> = {}) {
    this.#waits = cycle.flat().flatMap(({ waits }) => (waits ? [waits] : []));
    for (const each of this.#waits) this.#watched.set(keyOf(each), state[keyOf(each)] ?? { since: 0 });
  }

  /** Whether a turn is taken now; one that is begins to wait anew. */
  takes({ waits }: Turn): boolean {
    if (!waits) return true;
    const watched = this.#watched.get(keyOf(waits))!;
    const { recent, least, since } = watched;
    const follows = recent !== undefined && least !== undefined && recent <= least * (1 + waits.above);
    if (since < waits.most && !(since >= waits.least && follows)) return false;
    this.#watched.set(keyOf(waits), { ...watched, since: 0 });
    return true;
  }

  /** Takes note of what an update of a role has shown; a value that is not finite counts as an update alone. */
  async saw(role: string, shown: Scalars): Promise<void> {
    for (const waits of this.#waits) {
      if (waits.role !== role) continue;
      const value = await shown[waits.loss]?.read();
      const { recent, least, since } = this.#watched.get(keyOf(waits))!;
      const next = Number.isFinite(value) ? mixed(recent, value) : recent;
      const grown = least === undefined ? next : Math.min(least * (1 + FORGETTING), next ?? Infinity);
      this.#watched.set(keyOf(waits), { recent: next, least: grown, since: since + 1 });
    }
  }

  get state(): Readonly<Record<string, Watched>> {
    return Object.fromEntries(this.#watched);
  }
}

const keyOf = ({ role, loss }: NonNullable<Turn["waits"]>): string => `${role}/${loss}`;
const mixed = (recent: number | undefined, value: number): number =>
  recent === undefined ? value : MEMORY * recent + (1 - MEMORY) * value;
