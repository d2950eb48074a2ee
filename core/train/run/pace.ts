import type { Pace } from "../../interfaces/pace.ts";
import { breathe } from "../loop/breathe.ts";
import type { EventBus } from "../loop/bus.ts";

/** What ends work that a stop interrupts. */
const STOPPED = new Error("the run is stopped");

/** The pace of a run: tells the bus, lets signals arrive, and ends the work when the run is to stop. */
export const runPace =
  (bus: EventBus, isStopping: () => boolean): Pace =>
  async (what, done, total, unit) => {
    bus.emit("work/progressed", { what, done, total, unit });
    await breathe();
    if (isStopping()) throw STOPPED;
  };

/** The result of work that keeps this pace; undefined where a stop has ended it. */
export async function unlessStopped<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error === STOPPED) return undefined;
    throw error;
  }
}
