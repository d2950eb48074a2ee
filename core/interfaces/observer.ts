import { type ListToken, listToken } from "../di/token.ts";
import type { EventBus } from "../train/loop/bus.ts";

/** Watches a run. Listeners never change it; one that throws is reported and the run goes on. */
export interface Observer {
  readonly name: string;
  /** Subscribes to what it wants; called once, before `run/start`. */
  observe(bus: EventBus): void;
}

/** Every observer that the config of the run names. */
export const OBSERVERS: ListToken<Observer> = listToken<Observer>("observers");
