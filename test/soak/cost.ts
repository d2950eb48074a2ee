/**
 * `node build.mjs soak cost --preset gaussians --device wasm --steps 100 --turns 20`: CPU time of training as the command line
 * does it (observers, monitors, checks, checkpoints) against the same without. Two runs take turns in this process, so many
 * steps each; `--data DIR` is for presets that need data.
 */
import { parseArgs } from "node:util";
import { files } from "../../backends/host/files.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import type { Backend } from "../../core/interfaces/backend.ts";
import { type ResolvedConfig, Run, type RunConfig, resolveConfig } from "../../core/train/mod.ts";
import { openBackend } from "../../examples/cli/device.ts";
import { presets } from "../../examples/cli/presets.ts";
import { loadRegistry } from "../../examples/cli/registry.ts";
import * as observers from "../../plugins/observers/mod.ts";
import { scratch } from "../examples/cli/program.ts";

/** The most that all of it may cost. */
const BAR = 0.02;

const { values } = parseArgs({
  options: {
    preset: { type: "string", default: "gaussians" },
    device: { type: "string", default: "wasm" },
    steps: { type: "string", default: "100" },
    turns: { type: "string", default: "20" },
    data: { type: "string" },
  },
});
const { preset, device } = values;
const [steps, turns] = [Number(values.steps), Number(values.turns)];

/** On one thread: threads that wait for each other spin, and that is no work. */
const open = (): Promise<Backend> => (device === "wasm" ? WasmBackend.open({ threads: 1 }) : openBackend(device));

/** Sections of a config whose plugins every run gets, and which change nothing of what it computes. */
const SWITCHED_OFF = ["monitors", "observers"] as const;

/** A config of the preset without training a teacher first: what a step costs does not depend on its weights. */
async function configOf(over: object = {}, off: readonly string[] = []): Promise<ResolvedConfig> {
  const config = await presets[preset].config();
  const registry = await loadRegistry();
  const teacher = { ...(config.method as { teacher?: object }).teacher, steps: 0 };
  const changed: Record<string, unknown> = {
    ...config,
    method: { ...(config.method as object), teacher },
    train: { ...config.train, ...over },
  };
  const resolved = resolveConfig(changed as unknown as RunConfig, registry);
  for (const section of off) {
    const plugins = (resolved.config as unknown as Record<string, object | undefined>)[section];
    if (plugins) changed[section] = Object.fromEntries(Object.keys(plugins).map((name) => [name, false]));
  }
  return resolveConfig(changed as unknown as RunConfig, registry);
}

/** A run that goes so many steps at a time. */
class Turns {
  readonly #run: Run;
  #left = 0;

  constructor(run: Run) {
    this.#run = run;
    run.bus.on("step/end", () => {
      if (--this.#left === 0) run.send({ type: "pause" });
    });
  }

  /** CPU time (s), of all threads, of what `begin` starts, until an event, and of what listeners do about it. */
  async #time(begin: () => void, end: "control/received" | "checkpoint/saved"): Promise<number> {
    const start = process.cpuUsage();
    await new Promise<void>((resolve) => {
      const off = this.#run.bus.on(end, (event) => {
        if ("command" in event && event.command.type !== "pause") return;
        off();
        resolve();
      });
      begin();
    });
    await this.#run.bus.settled();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  }

  /** The first steps, with what comes before them. */
  begin(count: number): Promise<number> {
    this.#left = count;
    return this.#time(() => void this.#run.start(), "control/received");
  }

  go(count: number): Promise<number> {
    this.#left = count;
    return this.#time(() => this.#run.send({ type: "resume" }), "control/received");
  }

  checkpoint(): Promise<number> {
    return this.#time(() => this.#run.send({ type: "checkpoint" }), "checkpoint/saved");
  }
}

/** The observers of the command line, with nobody to look at what they print. */
function observersIn(folder: string) {
  const path = (name: string) => files.join(folder, name);
  return [
    observers.progress({ stream: { write: () => true } }),
    observers.lossCurves({ files, path: path("losses.svg") }),
    observers.eventLog({ files, path: path("events.jsonl") }),
    observers.sampleGrids({ files, folder: path("samples") }),
    observers.diagnosisTable(() => {}),
    observers.resultTable(() => {}),
  ];
}

/** The number that so large a part of all is below. */
function quantile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = part * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place % 1);
}
const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);
const percent = (part: number): string => `${(100 * part).toFixed(2)} %`;

const { path, remove } = scratch();
const data = { files, path: values.data };
const folder = path("run");
const whole = await configOf();
const bare = await configOf({ checkpointMinutes: 0, logEvery: 1_000_000_000 }, SWITCHED_OFF);
const withAll = await Run.create({
  resolved: whole,
  backend: await open(),
  data,
  output: { files, path: folder },
  observers: observersIn(folder),
});
const withNothing = await Run.create({ resolved: bare, backend: await open(), data });
const [all, nothing] = [new Turns(withAll), new Turns(withNothing)];
for (const each of [all, nothing]) await each.begin(steps);

const began = performance.now();
const [extra, base, saves]: [number[], number[], number[]] = [[], [], []];
for (let turn = 0; turn < turns; turn++) {
  const pair = turn % 2 === 0 ? [all, nothing] : [nothing, all];
  const times = [await pair[0].go(steps), await pair[1].go(steps)];
  const [more, less] = turn % 2 === 0 ? times : times.reverse();
  extra.push((more - less) / less);
  base.push(less);
  saves.push(await all.checkpoint());
  console.log(`turn ${turn}: ${less.toFixed(2)} s, ${percent(extra[turn])} more`);
}
const seconds = (performance.now() - began) / 1000;
/** CPU time of a second of training: several threads have more than one. */
const perSecond = base.reduce((sum, time) => sum + time, 0) / (seconds / 2);
const interval = 60 * whole.settings.checkpointMinutes;
const saving = interval > 0 ? median(saves) / (interval * perSecond) : 0;
const total = median(extra) + saving;
console.log(
  `${preset}, ${device}: ${turns} turns of ${steps} steps, ${median(base).toFixed(2)} s of CPU time each; observers, monitors and checks ` +
    `${percent(median(extra))} (half of the turns from ${percent(quantile(extra, 0.25))} to ${percent(quantile(extra, 0.75))}), ` +
    `a checkpoint of ${median(saves).toFixed(3)} s every ${interval} s ${percent(saving)}: ${percent(total)} in all, at most ${percent(BAR)}`,
);
remove();
process.exit(total <= BAR ? 0 : 1);
