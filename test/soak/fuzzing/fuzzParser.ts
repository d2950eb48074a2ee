/** Gives a parser one odd input after another, and tells what it should not have done. */
import { OnestepError } from "../../../core/errors.ts";
import { type Allocated, counting } from "./allocations.ts";
import { Draw } from "./draw.ts";

/** An input, and what becomes of it. */
export interface FuzzCase {
  /** Bytes that are read. */
  readonly size: number;
  /** Reads it; throws an error of the catalogue, or gives something that was checked: a plain `Error` is a fault. */
  run(): unknown;
}

/** A reader of what others have written. */
export interface FuzzedParser {
  readonly name: string;
  /** Bytes of arrays that may be allocated for each byte of input, beyond `SPARE`. */
  readonly factor: number;
  /** Bytes of objects and texts that may be allocated for each byte, beyond 16 MiB; `HEAP_FACTOR` without it. */
  readonly heapFactor?: number;
  /** A case takes milliseconds: fewer of them in the short form. */
  readonly slow?: boolean;
  /** The case that follows from what is drawn. */
  make(draw: Draw): FuzzCase | Promise<FuzzCase>;
}

/** What a parser has done with its cases. */
export interface FuzzResult {
  readonly cases: number;
  /** Inputs that were taken. */
  readonly taken: number;
  /** Those that were refused, by code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly faults: readonly FuzzFault[];
  /** Array bytes per byte of input, at most, beyond `SPARE`. */
  readonly factor: number;
  /** Bytes of objects and texts, at most; told by V8 where it has not collected garbage meanwhile. */
  readonly heap: number;
  /** Milliseconds. */
  readonly slowest: { readonly ms: number; readonly number: number };
}

export interface FuzzFault {
  readonly number: number;
  readonly what: string;
}

/** Array bytes that any input may cost: a window of the unpacking, the first buffers of a stream. */
export const SPARE = 64 * 2 ** 10;
/** Bytes of objects and texts that an input may cost, and how many more for each of its bytes: a small tree takes hundreds. */
const HEAP_SPARE = 16 * 2 ** 20;
const HEAP_FACTOR = 600;
/** A reader that takes longer (ms) hangs. */
const MOST_TIME = 2000;
/** A case that takes longer (ms) is timed again. */
const SUSPECT = 100;
/** Characters of a message. */
const LONGEST_MESSAGE = 4000;

export interface FuzzRequest {
  readonly seed: number;
  /** The first case and how many. */
  readonly first?: number;
  readonly count: number;
  /** Told before each case, for who watches from outside. */
  readonly begin?: (number: number) => void;
}

/** Cases of a parser, judged. */
export function fuzzParser(parser: FuzzedParser, { seed, first = 0, count, begin }: FuzzRequest): Promise<FuzzResult> {
  // The first trace makes the runtime read the program's source map, which is no reader's cost.
  void new Error("the first").stack;
  return counting(async (allocated) => {
    const refused: Record<string, number> = {};
    const faults: FuzzFault[] = [];
    let [taken, factor, heap, slowest] = [0, 0, 0, { ms: 0, number: first }];
    const before = prototypes();
    // The first stack that is asked for loads the source map of the program, which is no cost of a reader.
    void new Error("a first one").stack;
    for (let number = first; number < first + count; number++) {
      begin?.(number);
      const fault = (what: string) => faults.push({ number, what });
      const { size, error, cost, ms } = await once(parser, seed, number, allocated);
      const code = error instanceof OnestepError ? error.code : undefined;
      if (error === undefined) taken++;
      else if (code) refused[code] = (refused[code] ?? 0) + 1;
      else fault(`no code: ${String((error as Error)?.stack ?? error).slice(0, 400)}`);
      const why = code && wrongMessage(error as OnestepError);
      if (why) fault(why);
      let least = ms;
      // Other programs may have had the processor.
      for (let again = 0; again < 3 && least > SUSPECT; again++)
        least = Math.min(least, (await once(parser, seed, number, allocated)).ms);
      if (least > slowest.ms) slowest = { ms: least, number };
      if (least > MOST_TIME) fault(`${Math.round(least)} ms`);
      const own = Math.max(0, cost.arrays - SPARE) / Math.max(size, 1);
      factor = Math.max(factor, own);
      if (own > parser.factor) fault(`${cost.arrays} bytes of arrays for ${size} bytes of input`);
      heap = Math.max(heap, cost.heap);
      if (cost.heap > HEAP_SPARE + (parser.heapFactor ?? HEAP_FACTOR) * size)
        fault(`${cost.heap} bytes of heap for ${size} bytes of input`);
      if (prototypes() !== before) fault("a prototype was changed");
    }
    return { cases: count, taken, refused, faults, factor, heap, slowest };
  });
}

/** A case from its beginning: what was thrown, if anything, what it cost, and how long it took (ms). */
async function once(parser: FuzzedParser, seed: number, number: number, allocated: () => Allocated) {
  const { size, run } = await parser.make(new Draw(seed, streamOf(parser.name), number));
  const start = allocated();
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  const error: unknown = await Promise.resolve()
    .then(run)
    .then(
      () => undefined,
      (reason) => reason ?? new Error("nothing was thrown, as an error"),
    );
  const { user, system } = process.cpuUsage(cpu);
  // Of a busy machine the processor's time tells more than the clock.
  const ms = Math.min(performance.now() - began, (user + system) / 1000);
  const end = allocated();
  return { size, error, ms, cost: { arrays: end.arrays - start.arrays, heap: end.heap - start.heap } };
}

/** One line that can be shown: neither a book, nor what moves the cursor of a terminal. */
function wrongMessage({ message, fix }: OnestepError): string | undefined {
  const text = `${message}${fix}`;
  if (text.length > LONGEST_MESSAGE) return `a message of ${text.length} characters: ${text.slice(0, 100)}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(text)
    ? `control characters in: ${JSON.stringify(text.slice(0, 300))}`
    : undefined;
}

/** The members of the prototypes that all values have. */
const prototypes = (): string =>
  [Object, Array, Function, String, Number, Map, Set, Promise]
    .map(({ prototype }) => Reflect.ownKeys(prototype).map(String).join())
    .join("|");

/** A Philox stream for each parser, by its name. */
const streamOf = (name: string): number =>
  [...name].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 7);
