import type { EventBus, Scalars, TrainEvents } from "../../../core/train/mod.ts";
import { onLosses, readScalars } from "../lossReadings.ts";

/** Numbers of a run that belong together. */
export interface ScalarReading {
  readonly stage: string;
  /** Counted from 0 in the stage; of what was judged, how many steps were done. */
  readonly stageStep: number;
  /** The same over all stages. */
  readonly step: number;
  /** Whose they are: a role, for its losses; `diagnosis/` or `metrics/` and a role, or `metrics/data`. */
  readonly group: string;
  readonly values: Readonly<Record<string, number>>;
}

/** What hears of the numbers of a run. */
export interface ScalarListener {
  /** The reading arrives later, since values are read from the device while an event is being told. */
  take(reading: Promise<ScalarReading>): unknown;
  /** What comes next was told before, from some step on: the run has begun, or has gone back. */
  again(): void;
  /** Nothing that was told so far will be told again by a run that goes on from its newest checkpoint. */
  kept(): unknown;
  end(): unknown;
}

/** Tells a listener of losses, every `train.logEvery` steps, of what diagnosis finds, and of all metrics. */
export function onScalars(bus: EventBus, name: string, listener: ScalarListener): void {
  let stages: TrainEvents["run/start"]["stages"] = [];
  const before = (stage: string) => {
    const place = stages.findIndex((each) => each.name === stage);
    return stages.slice(0, Math.max(0, place)).reduce((sum, { steps }) => sum + steps, 0);
  };
  const placed = (stage: string, stageStep: number) => ({ stage, stageStep, step: before(stage) + stageStep });
  const judged = (stage: string, step: number, who: string, values: ScalarReading["values"]) =>
    listener.take(Promise.resolve({ ...placed(stage, step), group: `metrics/${who}`, values }));
  const read = async (stage: string, step: number, group: string, scalars: Scalars): Promise<ScalarReading> => ({
    ...placed(stage, step),
    group,
    values: await readScalars(scalars),
  });

  bus.on(
    "run/start",
    (event) => {
      stages = event.stages;
      listener.again();
    },
    name,
  );
  bus.on("run/rolled-back", () => listener.again(), name);
  bus.on("device/lost", () => listener.again(), name);
  onLosses(bus, name, (reading) =>
    listener.take(reading.then(({ stage, role, step, values }) => ({ ...placed(stage, step), group: role, values }))),
  );
  bus.on(
    "role/diagnosed",
    ({ stage, role, step, values }) => listener.take(read(stage, step, `diagnosis/${role}`, values)),
    name,
  );
  bus.on("learner/judged", ({ stage, role, step, metrics }) => judged(stage, step, role, metrics), name);
  bus.on(
    "samples/judged",
    ({ who, metrics }) => {
      const last = stages.at(-1);
      return last && judged(last.name, last.steps, who, metrics);
    },
    name,
  );
  bus.on("checkpoint/saved", () => listener.kept(), name);
  bus.on("run/end", () => listener.end(), name);
}
