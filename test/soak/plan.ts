/**
 * `node build.mjs soak plan --presets gaussians,gaussians-consistency --device wasm`: what `onestep plan` says of memory, and `plan --time`
 * of a step, beside what a run takes; `--data DIR` is for presets that need data. Times are CPU time on one thread, as other programs
 * of the machine hardly change it. Fails where one of them is further off than 15 %.
 */
import { parseArgs } from "node:util";
import { files } from "../../backends/host/files.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import type { Backend } from "../../core/interfaces/backend.ts";
import { DATASET } from "../../core/interfaces/mod.ts";
import {
  composeRun,
  EventBus,
  mergeConfig,
  planRun,
  type ResolvedConfig,
  Run,
  type RunConfig,
  resolveConfig,
  Trainer,
} from "../../core/train/mod.ts";
import { openBackend } from "../../examples/cli/device.ts";
import { presets } from "../../examples/cli/presets.ts";
import { loadRegistry } from "../../examples/cli/registry.ts";
import { stepTime } from "../../examples/cli/stepTime.ts";
import { table } from "../../plugins/observers/mod.ts";

/** How far a prediction may be off. */
const BAR = 0.15;

const { values } = parseArgs({
  options: {
    presets: { type: "string", default: "gaussians,gaussians-consistency,gaussians-mean-flow" },
    device: { type: "string", default: "wasm" },
    steps: { type: "string", default: "300" },
    data: { type: "string" },
  },
});
const steps = Number(values.steps);
const open = (): Promise<Backend> =>
  values.device === "wasm" ? WasmBackend.open({ threads: 1 }) : openBackend(values.device);
const data = { files, path: values.data };

/** The last stage of a preset alone: what a step costs does not depend on the teacher's weights. */
async function configOf(preset: string): Promise<ResolvedConfig> {
  const config = await presets[preset].config();
  const { teacher } = config.method as { teacher?: object };
  const over = { method: teacher ? { teacher: { ...teacher, steps: 0 } } : {}, train: { steps, sampleEvery: 0 } };
  return resolveConfig(mergeConfig(config, over) as RunConfig, await loadRegistry());
}

interface Needs {
  readonly bytes: number;
  readonly cpuMs: number;
}

/** What is said before anything is trained. */
async function predicted(resolved: ResolvedConfig): Promise<Needs> {
  const device = await open();
  const container = await composeRun(resolved, device, data);
  const { peakBytes } = await planRun(container, resolved.settings, device);
  const bus = new EventBus();
  const trainer = new Trainer(container, device, container.get(DATASET), bus, resolved.settings);
  for (const stage of trainer.method.stages) await trainer.begin(stage);
  const { cpuMs } = await stepTime(trainer, bus, trainer.method.stages.at(-1)!, CYCLES);
  trainer.dispose();
  await container.dispose();
  await device.close();
  return { bytes: peakBytes, cpuMs };
}

/** Cycles that are looked at together before. */
const CYCLES = 3;

/** What a run takes: the most that its device held at any event, and the CPU time of a step. */
async function taken(resolved: ResolvedConfig): Promise<Needs> {
  const device = await open();
  const run = await Run.create({ resolved, backend: device, data });
  const { stages } = run.trainer.method;
  // In which it compiles, and engines compile once more what runs often.
  const passed = Math.max(2 * stages.at(-1)!.cycle.length, Math.floor(steps / 2));
  let [bytes, done] = [0, 0];
  let [start, end] = [process.cpuUsage(), process.cpuUsage()];
  run.bus.listen((event) => {
    bytes = Math.max(bytes, device.liveBytes);
    if (event.type !== "step/end" || event.stage !== stages.at(-1)!.name) return;
    if (event.step + 1 === passed) start = process.cpuUsage();
    if (event.step + 1 > passed) [end, done] = [process.cpuUsage(), event.step + 1 - passed];
  });
  await run.start();
  await run.dispose();
  await device.close();
  const [from, to] = [start, end].map(({ user, system }) => (user + system) / 1000);
  return { bytes, cpuMs: (to - from) / done };
}

const percent = (part: number): string => `${part < 0 ? "-" : "+"}${(100 * Math.abs(part)).toFixed(1)} %`;
const rows: string[][] = [];
let worst = 0;
for (const preset of values.presets.split(",")) {
  const resolved = await configOf(preset);
  const [said, was] = [await predicted(resolved), await taken(resolved)];
  const off = { memory: said.bytes / was.bytes - 1, time: said.cpuMs / was.cpuMs - 1 };
  worst = Math.max(worst, ...Object.values(off).map(Math.abs));
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
  const ms = ({ cpuMs }: Needs) => cpuMs.toFixed(2);
  rows.push([preset, mib(said.bytes), mib(was.bytes), percent(off.memory), ms(said), ms(was), percent(off.time)]);
  console.error(rows.at(-1)!.join("  "));
}
console.log(table([["preset", "MiB said", "taken", "off", "ms said", "taken", "off"], ...rows]));
console.log(`the worst is off by ${percent(worst)}, at most ${percent(BAR)}`);
process.exitCode = worst > BAR ? 1 : 0;
