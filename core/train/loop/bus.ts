// rxjs has one door, core/train: only bus.ts, control.ts and schedule.ts import it.
import { type Observable, Subject } from "rxjs";
import { isDeviceLost } from "../../errors.ts";
import type { EventOf, EventType, TrainEvent, TrainEvents } from "./events.ts";

/** What happens with an event; a promise is awaited by `settled`, not by the run. */
export type Listener<E = TrainEvent> = (event: E) => unknown;

/**
 * Carries the facts of a run to its listeners. Every listener sees all events in the order they were emitted. One that
 * throws, or whose promise rejects, is reported as `run/warning` under its name and goes on listening: watching a run must
 * not end it.
 */
export class EventBus {
  readonly #events = new Subject<TrainEvent>();
  readonly #queue: TrainEvent[] = [];
  readonly #running = new Set<Promise<unknown>>();
  #draining = false;

  /**
   * All events, for composing with RxJS operators. An error in its subscriber is not caught here and ends the process: what
   * may throw belongs in `on` or `listen`.
   */
  readonly all: Observable<TrainEvent> = this.#events.asObservable();

  /** Calls `listener` for each event of a type; `name` stands in warnings. Returns the function that ends it. */
  on<K extends EventType>(type: K, listener: Listener<EventOf<K>>, name?: string): () => void {
    const source = name ?? (listener.name || `listener of ${type}`);
    return this.listen((event) => {
      if (event.type === type) return listener(event as unknown as EventOf<K>);
    }, source);
  }

  /** Calls `listener` for every event; `name` stands in warnings. Returns the function that ends it. */
  listen(listener: Listener, name: string = listener.name || "listener"): () => void {
    const subscription = this.#events.subscribe((event) => this.#call(listener, name, event));
    return () => subscription.unsubscribe();
  }

  /** Tells all listeners before it returns. If a listener emits, the others hear of the first event first. */
  emit<K extends EventType>(type: K, payload: TrainEvents[K]): void {
    this.#queue.push(Object.freeze({ type, ...payload }) as unknown as TrainEvent);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let event = this.#queue.shift(); event; event = this.#queue.shift()) this.#events.next(event);
    } finally {
      this.#draining = false;
    }
  }

  /** Resolves when every promise that listeners returned has settled, those they start meanwhile included. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #call(listener: Listener, name: string, event: TrainEvent): void {
    try {
      const result = listener(event);
      if (!(result instanceof Promise)) return;
      const running: Promise<unknown> = result
        .catch((error) => this.#warn(name, event, error))
        .finally(() => this.#running.delete(running));
      this.#running.add(running);
    } catch (error) {
      this.#warn(name, event, error);
    }
  }

  #warn(source: string, event: TrainEvent, error: unknown): void {
    // A listener that fails on the warning about a failure would otherwise never come to an end.
    if (event.type === "run/warning") return;
    // Of that, the run tells once.
    if (isDeviceLost(error)) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.emit("run/warning", { source, message: `Cannot handle ${event.type}: ${reason}` });
  }
}
