/** How long a step takes when many ranks share it: a model of what computes and what is sent, from what was measured of both. */
import { failure } from "../../../core/errors.ts";
import type { Collective, SumOrder } from "../../../core/interfaces/mod.ts";
import type { RunPlan, RunSettings } from "../../../core/train/mod.ts";
import { table } from "../../../plugins/observers/mod.ts";
import { operationsOfProgram } from "../profile/operations.ts";

/** A network between ranks. */
export interface Link {
  /** Of a message, in seconds. */
  readonly latency: number;
  /** Bytes that a rank sends in a second, while it receives as many. */
  readonly speed: number;
}

/** A step of a stage on one rank. */
export interface SharedStep {
  /** Samples of a batch, and the parts in which it is gathered. */
  readonly batch: number;
  readonly parts: number;
  /** Seconds to compute all parts of the step, and its updates. */
  readonly computing: number;
  readonly applying: number;
  /** Sums in a step, an update each, and bytes of all of them. */
  readonly sums: number;
  readonly bytes: number;
}

/** A step of several ranks, in seconds; `sending` is not hidden behind computing. */
export interface ScaledStep {
  readonly ranks: number;
  /** Samples that the rank with most of them has. */
  readonly samples: number;
  readonly computing: number;
  readonly sending: number;
  readonly total: number;
}

/**
 * Seconds of a sum over N ranks. Each sends and receives 2 (N − 1) / N of the bytes, whichever way it is done well; in the fixed order
 * shares go to everyone and come back, 2 (N − 1) messages, and a library needs 2 log₂ N.
 */
export function sumSeconds(bytes: number, ranks: number, { latency, speed }: Link, order: SumOrder): number {
  if (ranks === 1) return 0;
  const messages = order === "fixed" ? 2 * (ranks - 1) : 2 * Math.ceil(Math.log2(ranks));
  return ((2 * (ranks - 1)) / ranks) * (bytes / speed) + messages * latency;
}

/**
 * The same step by N ranks. A rank with several parts sends each in the fixed order, and their sum in that of the library. What a
 * rank sends while it computes is not counted as hidden: that is for devices to show.
 */
export function scaledStep(step: SharedStep, ranks: number, link: Link, order: SumOrder): ScaledStep {
  const { batch, computing, applying, sums, bytes } = step;
  // More ranks than parts have a part each.
  const parts = Math.max(step.parts, ranks);
  const rounds = Math.ceil(parts / ranks);
  const times = order === "fixed" ? rounds : 1;
  const own = (computing * rounds) / parts + applying;
  const sending = sums === 0 ? 0 : times * sums * sumSeconds(bytes / sums, ranks, link, order);
  return { ranks, samples: (rounds * batch) / parts, computing: own, sending, total: own + sending };
}

/** Ranks up to so many: powers of four, and the last. */
export const ladder = (most: number): number[] => {
  const found = [];
  for (let ranks = 1; ranks < most; ranks *= 4) found.push(ranks);
  return [...found, most];
};

/** The steps of a plan's stages on one rank that does so many operations in a second, and updates as fast as its memory is: at once. */
export function sharedSteps({ stages, parameters }: RunPlan, settings: RunSettings, rate: number) {
  return stages
    .filter(({ steps }) => steps > 0)
    .map(({ stage, updates }): SharedStep & { readonly stage: string } => {
      const roles = updates.map(({ program, perStep }) => ({ role: program.name.split(" ")[0], perStep, program }));
      const seconds = (kind: RegExp) =>
        roles.reduce(
          (sum, { program, perStep }) => sum + (kind.test(program.name) ? perStep * operationsOfProgram(program) : 0),
          0,
        ) / rate;
      const isParts = settings.accumulate > 1;
      const learning = roles.filter(({ program }) => / update$/.test(program.name));
      return {
        stage,
        batch: settings.batch,
        parts: settings.accumulate,
        computing: seconds(isParts ? / part$/ : / update$/),
        applying: isParts ? seconds(/ update$/) : 0,
        sums: learning.reduce((sum, { perStep }) => sum + perStep, 0),
        bytes: learning.reduce((sum, { role, perStep }) => sum + perStep * 4 * (parameters[role] ?? 0), 0),
      };
    });
}

/** Tables of stages: what a step takes with more and more ranks. Ranks that a batch can't be divided among are left out. */
export function scalingText(plan: RunPlan, settings: RunSettings, rate: number, most: number, link: Link): string {
  const order = settings.sumOrder;
  const head = `${order === "fixed" ? "parts added in their order" : "sums by the library"}, ${Number(((link.speed * 8) / 1e9).toPrecision(3))} Gbit/s, ${(link.latency * 1e6).toFixed(0)} µs`;
  const tables = sharedSteps(plan, settings, rate).map((step) => {
    const [one] = [scaledStep(step, 1, link, order)];
    const fits = (ranks: number) => ranks <= step.parts || step.batch % ranks === 0;
    const rows = ladder(most)
      .filter(fits)
      .map((ranks) => {
        const { samples, computing, sending, total } = scaledStep(step, ranks, link, order);
        const faster = one.total / total;
        return [
          `${ranks}`,
          `${samples}`,
          seconds(computing),
          seconds(sending),
          seconds(total),
          faster.toFixed(faster < 10 ? 2 : 0),
          `${((100 * faster) / ranks).toFixed(0)} %`,
        ];
      });
    const columns = ["ranks", "samples each", "computing", "sending", "a step", "faster", "efficiency"];
    return `${step.stage}, a batch of ${step.batch} in ${step.parts} parts, ${(step.bytes / 1e6).toFixed(1)} MB of gradients a step\n${table([columns, ...rows])}`;
  });
  return [`ranks       ${head}`, ...tables].join("\n\n");
}

const seconds = (value: number): string =>
  value >= 10 ? `${value.toFixed(0)} s` : value >= 1 ? `${value.toFixed(1)} s` : `${(1000 * value).toFixed(1)} ms`;

/** What `--ranks` asks for. @throws E_USAGE */
export function readRanks(text: string): number {
  const ranks = Number(text);
  if (Number.isInteger(ranks) && ranks >= 1 && ranks <= 1_000_000) return ranks;
  throw failure("E_USAGE", `Cannot run plan: --ranks is "${text}", expected a whole number from 1 to 1,000,000`);
}

/** "25gbit" as a speed; the latency is that of Ethernet. @throws E_USAGE */
export function readLink(text: string): Link {
  const [, number, unit = "g"] = text.match(/^(\d+(?:\.\d+)?)\s*([mg])bit$/i) ?? [];
  const bits = Number(number) * (unit.toLowerCase() === "m" ? 1e6 : 1e9);
  if (number !== undefined && bits > 0) return { latency: 50e-6, speed: bits / 8 };
  throw failure("E_USAGE", `Cannot run plan: --link is "${text}", expected a speed such as 25gbit or 500mbit`);
}

/** Bytes of the sum by which a link is measured. */
const MEASURED = 2 ** 24;

/** Measures the link between real ranks, all of which ask: the fastest of a few sums of one number and of many. */
export async function measureLink(collective: Collective, order: SumOrder): Promise<Link> {
  const { size } = collective;
  const best = async (values: Float32Array, times: number) => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < times; i++) {
      await collective.barrier();
      const began = performance.now();
      await collective.allReduce(values, { order });
      if (i > 0) least = Math.min(least, (performance.now() - began) / 1000);
    }
    return least;
  };
  const few = await best(new Float32Array(size), 20);
  const many = await best(new Float32Array(MEASURED / 4), 5);
  const messages = order === "fixed" ? 2 * (size - 1) : 2 * Math.ceil(Math.log2(size));
  return { latency: few / messages, speed: ((2 * (size - 1)) / size) * (MEASURED / Math.max(many - few, 1e-9)) };
}
