import type { EventBus, Phase, Scalars } from "../../core/train/mod.ts";

/** The losses of one update, read from the device. */
export interface LossReading {
  readonly phase: Phase;
  readonly step: number;
  /** By name; gradient norms are among them. */
  readonly values: Readonly<Record<string, number>>;
}

const phases: readonly Phase[] = ["teacher", "generator", "critic"];

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
 * Calls `take` with the first losses of each phase, and then with those that are at least `every` steps later; by default
 * the run's own `train.logEvery`. All other losses stay on the device. The promise it is given settles later, because the
 * read must begin while the event is being told.
 */
export function onLosses(
  bus: EventBus,
  name: string,
  take: (reading: Promise<LossReading>) => unknown,
  every?: number,
): void {
  let interval = every ?? 50;
  const due: Record<Phase, number> = { teacher: 0, generator: 0, critic: 0 };
  bus.on("run/start", ({ config }) => {
    interval = every ?? logEveryOf(config) ?? interval;
    // A resumed run starts anywhere: whatever comes first is due.
    for (const phase of phases) due[phase] = 0;
  });
  for (const phase of phases)
    bus.on(
      `${phase}/updated`,
      ({ step, losses }) => {
        if (step < due[phase]) return;
        due[phase] = step + interval;
        return take(readScalars(losses).then((values) => ({ phase, step, values })));
      },
      name,
    );
}

function logEveryOf({ train }: Readonly<Record<string, unknown>>): number | undefined {
  const { logEvery } = (train ?? {}) as { logEvery?: unknown };
  return typeof logEvery === "number" ? logEvery : undefined;
}
