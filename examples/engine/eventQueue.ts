import type { EventBus } from "../../core/train/loop/bus.ts";
import type { EventType, TrainEvent } from "../../core/train/loop/events.ts";

/** Events that wait for a reader at most. */
const MOST_WAITING = 10_000;

/**
 * The events of a run for `for await`, from now to its end; of these types, or all. A run does not wait for its reader: of one that is
 * ten thousand events behind, the oldest that wait are left out, and an event `run/warning` tells it how many.
 */
export function eventsOf<K extends EventType = EventType>(
  bus: EventBus,
  types?: readonly K[],
  most: number = MOST_WAITING,
): AsyncGenerator<Extract<TrainEvent, { type: K }>, void> {
  const waiting: TrainEvent[] = [];
  let leftOut = 0;
  let ended = false;
  let wake = () => {};
  const end = bus.listen((event) => {
    if (event.type === "run/end") ended = true;
    if (!types || types.includes(event.type as K)) waiting.push(event);
    if (waiting.length > most) {
      waiting.shift();
      leftOut++;
    }
    wake();
  }, "events");
  async function* read(): AsyncGenerator<TrainEvent, void> {
    try {
      for (;;) {
        if (leftOut > 0) {
          const message = `Cannot hand over all events: the reader is slower than the run, the oldest ${leftOut} are left out`;
          leftOut = 0;
          yield Object.freeze({ type: "run/warning", source: "events", message });
        }
        const next = waiting.shift();
        if (next) yield next;
        else if (ended) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      end();
    }
  }
  return read() as AsyncGenerator<Extract<TrainEvent, { type: K }>, void>;
}
