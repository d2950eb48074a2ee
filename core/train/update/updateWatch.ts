import type { Stage } from "../../interfaces/method.ts";
import type { TurnAt } from "../loop/schedule.ts";
import { Divergence, type LeftOut, leftOutText, momentAfter } from "./leftOut.ts";
import type { Player } from "./player.ts";
import { type NonFinitePolicy, unsound } from "./verdict.ts";

/** An update that was started, and whose verdict is on its way. */
export interface WatchedUpdate {
  readonly stage: Stage;
  readonly at: TurnAt;
  readonly player: Player<unknown>;
  /** Names of the terms of its objective. */
  readonly terms: readonly string[];
  readonly bits: Promise<number>;
  /** Looks for the first value that is not finite. */
  readonly origin: () => Promise<string | undefined>;
}

/** What a watch needs. */
export interface WatchRequest {
  readonly policy: NonFinitePolicy;
  /** Updates whose verdict may be on its way while the next one is started. */
  readonly ahead: number;
  readonly tell: (update: LeftOut) => void;
}

/** Updates of a role that may be left out one after the other: what has not passed then will not pass. */
export const MOST_IN_ROW = 10;

/**
 * Hears the verdicts of updates, a few updates later, so that the device never waits. The device leaves out by itself what is not
 * finite; here it is told, and decided whether the run goes on.
 */
export class UpdateWatch {
  readonly #request: WatchRequest;
  readonly #pending: WatchedUpdate[] = [];
  readonly #inRow = new Map<string, number>();

  constructor(request: WatchRequest) {
    this.#request = request;
  }

  /** Notes an update that has just been started. @throws Divergence when an earlier one, or this, ends the run */
  async started(update: WatchedUpdate): Promise<void> {
    // A device that is lost is told of by what is asked of it next.
    update.bits.catch(() => {});
    this.#pending.push(update);
    await this.settle(this.#request.ahead);
  }

  /** Waits until no more than `most` verdicts are open. @throws Divergence */
  async settle(most = 0): Promise<void> {
    while (this.#pending.length > most) {
      const bits = await this.#pending[0].bits;
      const update = this.#pending.shift()!;
      const { role } = update.at.turn;
      if (bits === 0) this.#inRow.delete(role);
      else await this.#leftOut(update, bits);
    }
  }

  /** Forgets all that is on its way: the run goes on from elsewhere. */
  reset(): void {
    this.#pending.length = 0;
    this.#inRow.clear();
  }

  async #leftOut(update: WatchedUpdate, bits: number): Promise<void> {
    const { policy, tell } = this.#request;
    const { stage, at, terms } = update;
    const { role } = at.turn;
    const inRow = (this.#inRow.get(role) ?? 0) + 1;
    this.#inRow.set(role, inRow);
    const goesOn = policy === "skip";
    const last = this.#pending.at(-1) ?? update;
    // Those behind it changed nothing either.
    if (!goesOn) for (const { player } of [update, ...this.#pending.splice(0)]) player.updates--;
    // It takes a while: in a row, the first tells enough. Where the run goes on, the states may have moved on a little.
    const origin = inRow === 1 ? await update.origin() : undefined;
    const told = { stage: stage.name, role, step: at.step, ...unsound(bits, terms), origin, policy, inRow };
    tell(told);
    if (goesOn && inRow < MOST_IN_ROW) return;
    const [times, moment] = goesOn
      ? [`${inRow} updates one after the other were left out: `, momentAfter(stage, last.at)]
      : ["", at];
    const message = `Cannot go on training the ${role}: ${times}${leftOutText(told)}, expected finite numbers`;
    throw new Divergence(message, told, moment);
  }
}
