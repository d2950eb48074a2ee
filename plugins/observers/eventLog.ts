import type { Observer } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/mod.ts";
import type { TrainEvent } from "../../core/train/mod.ts";
import { type LossReading, onLosses, readScalars } from "./lossReadings.ts";

/** Where the events go. */
export interface EventLogOptions {
  readonly files: FileSystem;
  /** The file; lines are added to what it holds, so that a resumed run goes on with it. */
  readonly path: string;
  /** Steps between two losses that are read; by default the run's `train.logEvery`. */
  readonly every?: number;
}

/** Milliseconds for which lines gather before they are written: opening a file takes longer than many a step. */
const GATHERING = 250;

/**
 * Writes every event as a line of JSON, with `at`, the seconds since the run began. Of the updates it has only
 * those whose losses are read. Lines keep the order of the events, though losses arrive later; the run never waits for the file.
 */
export function eventLog({ files, path, every }: EventLogOptions): Observer {
  return {
    name: "event-log",
    observe(bus) {
      let began = performance.now();
      const waiting: (string | Promise<string>)[] = [];
      let writing: Promise<void> | undefined;
      let hurry = () => {};
      const ended = new Promise<void>((resolve) => {
        hurry = resolve;
      });

      const add = (line: (at: number) => string | Promise<string>): Promise<void> => {
        waiting.push(line(Number(((performance.now() - began) / 1000).toFixed(3))));
        writing ??= drain().finally(() => {
          writing = undefined;
        });
        return writing;
      };
      const drain = async () => {
        while (waiting.length > 0) {
          // Lines that gathered while the file was busy are written together.
          const lines = await Promise.all(waiting.splice(0));
          await files.append(path, lines.map((line) => `${line}\n`).join(""));
          await Promise.race([elapsed(GATHERING), ended]);
        }
      };

      bus.listen((event) => {
        if (event.type === "run/start") began = performance.now();
        if (event.type === "run/end") hurry();
        if (event.type === "role/updated") return;
        if (event.type === "role/diagnosed") {
          // The read must begin while the event is being told.
          const { values, ...rest } = event;
          const reading = readScalars(values);
          return add(async (at) => JSON.stringify({ at, ...rest, values: await reading }));
        }
        return add((at) => JSON.stringify({ at, ...plain(event) }));
      }, "event-log");
      const losses = async (reading: Promise<LossReading>, at: number) => {
        const { values, ...rest } = await reading;
        return JSON.stringify({ at, type: "role/updated", ...rest, losses: values });
      };
      onLosses(bus, "event-log", (reading) => add((at) => losses(reading, at)), every);
    },
  };
}

const elapsed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** An event as JSON can hold it: errors by code and message, samples by their shape. */
function plain(event: TrainEvent): object {
  if (event.type === "run/failed") {
    const { name, message, code } = event.error as Error & { code?: string };
    return { ...event, error: { name, code, message } };
  }
  if (event.type === "sample/drawn") return { ...event, samples: { shape: event.samples.shape } };
  return event;
}
