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
const GATHERING = 500;

/** Lines that wait for a disk that refuses them; of more, the oldest are lost. */
const MOST_WAITING = 10_000;

/**
 * Writes every event as a line of JSON, with `at`, the seconds since the run began. Of the updates it has only
 * those whose losses are read. Lines keep the order of the events, though losses arrive later; the run never waits for the file.
 * Numbers that JSON does not have are words: "NaN", "Infinity", "-Infinity". Lines that could not be written are reported once
 * and written with the next ones. A part of a line, which a kill or a full disk leaves at the end, is cut off.
 */
export function eventLog({ files, path, every }: EventLogOptions): Observer {
  return {
    name: "event-log",
    observe(bus) {
      let began = performance.now();
      const waiting: (string | Promise<string>)[] = [];
      /** The write that takes all lines that wait when it begins. */
      let next: Promise<void> | undefined;
      /** The writes before it, and the pause after them. */
      let before: Promise<void> = Promise.resolve();
      let over = false;
      let hurry = () => {};
      /** Lines that are complete and not yet in the file. */
      const lines: string[] = [];
      /** Whether the file is known to end with a whole line. */
      let whole = false;
      let failing = false;

      /** What it returns settles with the line's own write: one for all lines to come would hold every event until then. */
      const add = (line: (at: number) => string | Promise<string>): Promise<void> => {
        const text = line(Number(((performance.now() - began) / 1000).toFixed(3)));
        waiting.push(text);
        const first = !next;
        if (!next) {
          next = before.then(drain);
          before = next.catch(() => {}).then(pause);
        }
        // One of the lines that are written together tells of a disk that refuses.
        const written = first ? next : next.catch(() => {});
        return Promise.all([text, written]).then(() => {});
      };
      const drain = async () => {
        next = undefined;
        // Lines that gathered while the file was busy are written together, without those whose losses can't be read.
        const read = await Promise.allSettled(waiting.splice(0));
        lines.push(...read.flatMap((line) => (line.status === "fulfilled" ? [line.value] : [])));
        lines.splice(0, lines.length - MOST_WAITING);
        await write();
      };
      const pause = () =>
        new Promise<void>((resolve) => {
          if (over) return resolve();
          const timer = setTimeout(resolve, GATHERING);
          hurry = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      const write = async () => {
        try {
          if (!whole) await cutPart(files, path);
          whole = false;
          await files.append(path, lines.map((line) => `${line}\n`).join(""));
          [whole, failing] = [true, false];
          lines.length = 0;
        } catch (error) {
          const again = failing;
          failing = true;
          if (!again) throw error;
        }
      };

      bus.listen((event) => {
        if (event.type === "run/start") began = performance.now();
        if (event.type === "run/end") {
          over = true;
          hurry();
        }
        if (event.type === "role/updated" || event.type === "work/progressed") return;
        if (event.type === "role/diagnosed") {
          // The read must begin while the event is being told.
          const { values, ...rest } = event;
          const reading = readScalars(values);
          return add(async (at) => asLine({ at, ...rest, values: await reading }));
        }
        return add((at) => asLine({ at, ...plain(event) }));
      }, "event-log");
      const losses = async (reading: Promise<LossReading>, at: number) => {
        const { values, ...rest } = await reading;
        return asLine({ at, type: "role/updated", ...rest, losses: values });
      };
      onLosses(bus, "event-log", (reading) => add((at) => losses(reading, at)), every);
    },
  };
}

const asLine = (value: object): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === "number" && !Number.isFinite(inner) ? String(inner) : inner));

/** Cuts a file after its last whole line. */
async function cutPart(files: FileSystem, path: string): Promise<void> {
  if (!(await files.exists(path))) return;
  const size = await files.size(path);
  for (let end = size; ; ) {
    const from = Math.max(0, end - PORTION);
    const place = (await files.readRange(path, from, end - from)).lastIndexOf(NEWLINE);
    if (place < 0 && from > 0) end = from;
    else {
      if (from + place + 1 < size) await files.truncate(path, from + place + 1);
      return;
    }
  }
}
const NEWLINE = 10;
/** Bytes that are searched at a time. */
const PORTION = 2 ** 16;

/** An event as JSON can hold it: errors by code and message, samples by their shape. */
function plain(event: TrainEvent): object {
  if (event.type === "run/failed") {
    const { name, message, code } = event.error as Error & { code?: string };
    return { ...event, error: { name, code, message } };
  }
  if (event.type === "sample/drawn") return { ...event, samples: { shape: event.samples.shape } };
  return event;
}
