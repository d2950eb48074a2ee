import type { Resolver } from "../di/resolver.ts";
import { type Token, token } from "../di/token.ts";

/**
 * What long work outside of the steps of training calls between its pieces: tells how far it is, and lets the event loop turn.
 * Rejects when the run is to stop; the work then ends and frees what it holds. `unit` is what is counted, samples where absent.
 */
export type Pace = (what: string, done: number, total: number, unit?: string) => Promise<void>;

/** The pace of the run. */
export const PACE: Token<Pace> = token<Pace>("pace");

/** The pace of a run; work outside of one tells nobody. Asked for when the work begins. */
export const paceOf = (container: Resolver): Pace => (container.has(PACE) ? container.get(PACE) : async () => {});
