import { createInterface } from "node:readline";
import type { PrepareReply, Request, RoundReply, ValuesReply } from "./protocol.ts";

/** A case that is ready to be timed. */
export interface Prepared {
  /** Does it once and waits for the device. */
  call(): Promise<void>;
  /** The same, and reads what the gate looks at. */
  callAndRead?(): Promise<number>;
  /** Steps that a call consists of; all figures are of one step. Default: 1. */
  readonly steps?: number;
  readonly flops?: number;
  readonly note?: string;
  release?(): void | Promise<void>;
}

/** Running totals; the bench takes differences. */
export interface Counters {
  dispatches: number | null;
  submits: number | null;
  bindGroups: number | null;
  buffers: number | null;
  peakBytes: number | null;
}

/** An engine behind the protocol. */
export interface Engine {
  readonly about: string;
  readonly cases: Readonly<Record<string, () => Prepared | Promise<Prepared>>>;
  counters(): Counters;
  /** Lets the peak begin anew. */
  forgetPeak(): void;
}

const MOST_CALLS = 200;
/** A case as quick as this is called once for nothing at the start of a round: caches and threads have gone cold. */
const QUICK_MS = 300;

/** Answers requests until stdin ends, then ends the process. */
export async function serve(engine: Engine): Promise<never> {
  const say = (reply: object) => process.stdout.write(`${JSON.stringify(reply)}\n`);
  let current: Prepared | undefined;
  let values: number[] = [];
  let lastMs = Number.POSITIVE_INFINITY;

  const call = async (prepared: Prepared): Promise<number> => {
    const start = performance.now();
    await prepared.call();
    lastMs = performance.now() - start;
    return lastMs;
  };

  const prepare = async (name: string): Promise<PrepareReply> => {
    const make = engine.cases[name];
    if (!make) throw new Error("not among the cases of this engine");
    engine.forgetPeak();
    values = [];
    const start = performance.now();
    const cpu = cpuMs();
    current = await make();
    if (current.callAndRead) values.push(await current.callAndRead());
    else await call(current);
    const { flops, note } = current;
    return { firstMs: performance.now() - start, firstCpuMs: cpuMs() - cpu, flops, note };
  };

  const round = async (prepared: Prepared, ms: number): Promise<RoundReply> => {
    if (lastMs < QUICK_MS) await call(prepared);
    const before = engine.counters();
    const cpu = cpuMs();
    const wallMs: number[] = [];
    for (let spent = 0; wallMs.length === 0 || (spent < ms && wallMs.length < MOST_CALLS); )
      spent += wallMs[wallMs.push(await call(prepared)) - 1];
    const count = wallMs.length * (prepared.steps ?? 1);
    const each = (key: keyof Counters): number | null => {
      const [a, b] = [before[key], engine.counters()[key]];
      return a === null || b === null ? null : (b - a) / count;
    };
    return {
      wallMs: wallMs.map((each) => each / (prepared.steps ?? 1)),
      cpuMs: (cpuMs() - cpu) / count,
      dispatches: each("dispatches"),
      submits: each("submits"),
      newBindGroups: each("bindGroups"),
      newBuffers: each("buffers"),
      peakBytes: engine.counters().peakBytes,
    };
  };

  const collect = async ({ callAndRead }: Prepared, calls: number): Promise<ValuesReply> => {
    while (callAndRead && values.length < calls) values.push(await callAndRead());
    return { values };
  };

  const ready = (): Prepared => {
    if (!current) throw new Error("no case is prepared");
    return current;
  };
  const answer = async (request: Request): Promise<object> => {
    if (request.ask === "prepare") return prepare(request.case);
    if (request.ask === "round") return round(ready(), request.ms);
    if (request.ask === "values") return collect(ready(), request.calls);
    await current?.release?.();
    current = undefined;
    return {};
  };

  say({ about: engine.about });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(await answer(JSON.parse(line)));
    } catch (error) {
      say({ failed: String((error as Error)?.message ?? error) });
    }
  }
  process.exit(0);
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
