import type { EventBus, Scalars } from "../../core/train/mod.ts";

/** The losses of one update, read from the device. */
export interface LossReading {
  readonly stage: string;
  readonly role: string;
  readonly step: number;
  /** By name; gradient norms are among them. */
  readonly values: Readonly<Record<string, number>>;
}

const shared = new WeakMap<Scalars, Promise<Readonly<Record<string, number>>>>();

/** The values of an event. A read makes the device wait, so that observers of the same event share it. */
export function readScalars(losses: Scalars): Promise<Readonly<Record<string, number>>> {
  let reading = shared.get(losses);
  if (!reading) {
    const entries = Object.entries(losses).map(
      async ([name, scalar]): Promise<[string, number]> => [name, await scalar.read()],
    );
    reading = Promise.all(entries).then(Object.fromEntries) as Promise<Record<string, number>>;
    shared.set(losses, reading);
  }
  return reading;
}

/**
 * Calls `take` with the first losses of each role in a stage, and then with those that are at least `every` steps later; by
 * default the run's own `train.logEvery`. All other losses stay on the device. The promise it is given settles later, because
 * the read must begin while the event is being told.
 */
export function onLosses(
  bus: EventBus,
  name: string,
  take: (reading: Promise<LossReading>) => unknown,
  every?: number,
): void {
  let interval = every ?? 50;
  const due = new Map<string, number>();
  bus.on("run/start", ({ config }) => {
    interval = every ?? logEveryOf(config) ?? interval;
    // A resumed run starts anywhere: whatever comes first is due.
    due.clear();
  });
  bus.on(
    "role/updated",
    ({ stage, role, step, losses }) => {
      const key = `${stage}: ${role}`;
      if (step < (due.get(key) ?? 0)) return;
      due.set(key, step + interval);
      return take(readScalars(losses).then((values) => ({ stage, role, step, values })));
    },
    name,
  );
}

function logEveryOf({ train }: Readonly<Record<string, unknown>>): number | undefined {
  const { logEvery } = (train ?? {}) as { logEvery?: unknown };
  return typeof logEvery === "number" ? logEvery : undefined;
}
