import { failure } from "../../../core/errors.ts";
import type { Observer, OutputFolder } from "../../../core/interfaces/mod.ts";
import { onScalars, type ScalarReading } from "./scalars.ts";

/** A reading, or a part of one, that lies in a file whole. */
export interface StoredReading extends Pick<ScalarReading, "step" | "group"> {
  /** Where in the file it ends, in bytes. */
  readonly end: number;
}

/** How readings lie in a file, one after the other. */
export interface ScalarFormat {
  /** What a file begins with. */
  head(): Uint8Array;
  encode(reading: ScalarReading): Uint8Array;
  /** Where the head ends; undefined for a file that does not begin as one of these. */
  headEnd(bytes: Uint8Array): number | undefined;
  /** The readings behind the head, up to the first that is damaged or cut. */
  readings(bytes: Uint8Array, from: number): Iterable<StoredReading>;
}

/** Milliseconds for which readings gather before they are written. */
const GATHERING = 2000;
/** Readings that wait for a disk that refuses them; of more, the oldest are lost. */
const MOST_WAITING = 10_000;

/**
 * Adds the numbers of a run to a file in its folder. A run that goes on, or back to a checkpoint, cuts off what it will tell once
 * more, and what a killed process or a full disk has left half written, so that every step is there once.
 */
export function scalarFile(
  name: string,
  { files, path: folder }: OutputFolder,
  file: string,
  format: ScalarFormat,
): Observer {
  const path = files.join(folder, file);
  return {
    name,
    observe(bus) {
      const waiting: Uint8Array[] = [];
      let last: Promise<void> = Promise.resolve();
      let written = performance.now();
      /** Whether the file is known to end where the next reading belongs. */
      let fits = false;
      let refused = false;
      let failing = false;

      /** One after the other, in the order of the events; what fails hinders none of the next. */
      const next = (work: () => Promise<void>): Promise<void> => {
        const done = last.then(work);
        last = done.catch(() => {});
        return done;
      };
      const write = async () => {
        if (waiting.length === 0) return;
        written = performance.now();
        waiting.splice(1, waiting.length - MOST_WAITING);
        try {
          if (failing) await cutPart();
          await files.append(path, joined(waiting));
          waiting.length = 0;
          failing = false;
        } catch (error) {
          const again = failing;
          failing = true;
          if (!again) throw error;
        }
      };
      /** What a disk that refuses has taken of a reading. */
      const cutPart = async () => {
        if (!(await files.exists(path))) return;
        const bytes = await files.read(path);
        const ends = [...format.readings(bytes, format.headEnd(bytes) ?? 0)];
        await files.truncate(path, ends.at(-1)?.end ?? format.headEnd(bytes) ?? 0);
      };
      const fit = async (reading: ScalarReading) => {
        const bytes = (await files.exists(path)) ? await files.read(path) : new Uint8Array(0);
        const head = format.headEnd(bytes);
        // A head that was cut is one of nothing else.
        const isPart = format.head().length > bytes.length;
        if (head === undefined && !isPart) {
          refused = true;
          throw failure("E_FILE", `Cannot write ${path}: it is there and not of this observer, it should be neither`, {
            fix: "move the file away",
          });
        }
        let end = head ?? 0;
        for (const stored of format.readings(bytes, end)) {
          if (isAgain(stored, reading)) break;
          end = stored.end;
        }
        if (end < bytes.length) await files.truncate(path, end);
        if (head === undefined) waiting.unshift(format.head());
        fits = true;
      };
      onScalars(bus, name, {
        take: (arriving) => {
          const reading = arriving.catch(() => undefined);
          return next(async () => {
            const told = await reading;
            // The values were on a device that was lost, or there are none.
            if (!told || refused || Object.keys(told.values).length === 0) return;
            if (!fits) await fit(told);
            waiting.push(format.encode(told));
            if (performance.now() - written > GATHERING) await write();
          });
        },
        again: () =>
          void next(async () => {
            await write();
            fits = false;
          }).catch(() => {}),
        kept: () => next(write),
        end: () => next(write),
      });
    },
  };
}

/** Judging the samples of so many steps comes before the update that is counted by that number. */
const rank = ({ group }: Pick<ScalarReading, "group">) => Number(!group.startsWith("metrics/"));

/** Whether what is stored is told once more by the run whose first reading this is, or comes after it. */
function isAgain(stored: StoredReading, first: ScalarReading): boolean {
  if (stored.step !== first.step) return stored.step > first.step;
  if (rank(stored) !== rank(first)) return rank(stored) > rank(first);
  // A run that was stopped within a step has told of the first roles of it.
  return stored.group === first.group;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
