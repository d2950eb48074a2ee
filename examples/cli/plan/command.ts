import { files } from "../../../backends/host/files.ts";
import { memoryLeft } from "../../../backends/host/limits.ts";
import type { Container } from "../../../core/di/mod.ts";
import { failure, OnestepError } from "../../../core/errors.ts";
import { type Backend, DATASET, type DataShape, METHOD } from "../../../core/interfaces/mod.ts";
import { formatShape } from "../../../core/tensor/mod.ts";
import {
  checkCapacity,
  checkCounts,
  composeRun,
  EventBus,
  planRun,
  type Ranks,
  type RunConfig,
  type RunPlan,
  type RunSettings,
  resolveConfig,
  Trainer,
} from "../../../core/train/mod.ts";
import type { Given } from "../command.ts";
import { findConfig, layOver } from "../configFile.ts";
import { describeBackend, openBackend, tuning } from "../device.ts";
import { fitConfig } from "../fitConfig.ts";
import { withModel } from "../model.ts";
import { asRank } from "../ranks.ts";
import { registryFor } from "../registry.ts";
import { stepTime } from "../stepTime.ts";
import { type AdviceRequest, advised, dataOf, withDataset } from "./advice.ts";
import { measuredLine, measureRate, memoryTable, needsOf } from "./needs.ts";
import { mebibytes, reportOf } from "./report.ts";
import { type Link, measureLink, readLink, readRanks, scalingText } from "./scaling.ts";

export const run = (given: Given): Promise<number> => asRank((ranks) => plan(given, ranks));

async function plan(given: Given, { collective, several }: Ranks): Promise<number> {
  const most = given.text("ranks");
  const scale: Scale | undefined =
    most === undefined ? undefined : { ranks: readRanks(most), link: readLink(given.text("link") ?? "25gbit") };
  const rate = readRate(given.text("rate"));
  const memory = readSize(given.text("memory"));
  const found = await findConfig(given.positionals[0], files);
  const registry = await registryFor(found.config, given.all("plugin"));
  const named = await withModel(found, given.text("model"), registry);
  const settled = (config: RunConfig) => layOver(config, given.all("set"), {});
  const config = await fitConfig(named, settled, registry, given.text("data"));
  const device = await openBackend(given.text("device"), tuning(given));
  try {
    const capacity = memory ?? device.capacity;
    process.stdout.write(`device      ${describeBackend(device)}\n`);
    const shape = given.text("data") === undefined ? (named.shape ?? (await named.usual?.())) : undefined;
    const timed = given.on("time");
    if (shape && timed)
      throw failure("E_USAGE", "Cannot run plan: --time takes steps, which need the data, and there is no --data", {
        fix: "name the data with --data, or leave --time out",
      });
    const measured = several && scale ? await measureLink(collective, "fixed") : scale?.link;
    const scaled = scale && measured && { ...scale, link: measured };
    await report({ config, registry, device, capacity }, given.text("data"), shape, { scaled, rate, timed });
    return 0;
  } finally {
    await device.close();
  }
}

/**
 * @param shape of data that are not there
 * @throws KernelError E_DEVICE_LIMIT that says what would fit
 */
async function report(
  request: Omit<AdviceRequest, "dataset" | "stages" | "plan">,
  path: string | undefined,
  shape: DataShape | undefined,
  { scaled, rate, timed }: { readonly scaled?: Scale; readonly rate?: number; readonly timed: boolean },
): Promise<void> {
  const { config, registry, device, capacity } = request;
  const read = resolveConfig(config, registry);
  const resolved = shape ? withDataset(read, dataOf(read.config.dataset.use, shape)) : read;
  const { settings } = resolved;
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  const found = (text: string) => print(`data        ${text}`);
  if (shape) found(`none is given; planned for samples ${formatShape(shape.sample)}${conditionText(shape)}`);
  const container = await composeRun(resolved, device, { files, path, found });
  const dataset = container.get(DATASET);
  let plan: RunPlan | undefined;
  try {
    plan = await planRun(container, settings, device);
    print(reportOf(plan));
    print(`\n${memoryTable(plan)}\n`);
    const speed = rate ?? (await measureRate(device));
    print(needsOf(plan, settings, dataset.shape, speed, rate === undefined ? undefined : "as --rate says").join("\n"));
    if (scaled) print(`\n${scalingText(plan, settings, speed, scaled.ranks, scaled.link)}\n`);
    checkCounts(container, settings.evaluateCount, memoryLeft(process));
    checkCapacity(plan, device, capacity);
    print(
      capacity === undefined
        ? "fits        every tensor does; the device does not tell its memory, see --memory"
        : `fits        yes, the device has ${mebibytes(capacity)} MiB`,
    );
    if (timed) for (const line of await timeLines(container, device, settings)) print(line);
  } catch (error) {
    if (!(error instanceof OnestepError) || error.code !== "E_DEVICE_LIMIT") throw error;
    print("fits        no");
    throw await advised(error, { ...request, dataset, stages: container.get(METHOD).stages, plan });
  } finally {
    await container.dispose();
  }
}

/** Cycles of a stage that are looked at. */
const CYCLES = 3;

/** A line for each stage, of a few of its steps, run here with weights as they begin. */
async function timeLines(container: Container, device: Backend, settings: RunSettings): Promise<string[]> {
  const bus = new EventBus();
  const trainer = new Trainer(container, device, container.get(DATASET), bus, settings);
  const lines: string[] = [];
  try {
    for (const stage of trainer.method.stages) {
      await trainer.begin(stage);
      if (stage.steps === 0) continue;
      const { ms } = await stepTime(trainer, bus, stage, CYCLES);
      lines.push(measuredLine(stage.name, stage.steps, ms));
    }
  } finally {
    trainer.dispose();
  }
  return lines;
}

const conditionText = ({ condition }: DataShape): string => {
  const entries = Object.entries(condition).map(([name, { shape }]) => `${name} ${formatShape(shape)}`);
  return entries.length > 0 ? ` with ${entries.join(", ")}` : "";
};

/** What a plan says of several processes. */
interface Scale {
  readonly ranks: number;
  readonly link: Link;
}

/** GFLOP/s as operations of a second. @throws E_USAGE */
function readRate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rate = Number(text);
  if (Number.isFinite(rate) && rate > 0) return rate * 1e9;
  throw failure("E_USAGE", `Cannot run plan: --rate is "${text}", expected GFLOP/s such as 40000`);
}

/** "6GiB" in bytes. @throws E_USAGE */
function readSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit = ""] = text.match(/^(\d+(?:\.\d+)?)\s*([KMGT]i?B?)?$/i) ?? [];
  const power = ["", "k", "m", "g", "t"].indexOf(unit.charAt(0).toLowerCase());
  if (number === undefined)
    throw failure("E_USAGE", `Cannot run plan: --memory is "${text}", expected a size such as 6GiB or 512MiB`);
  return Number(number) * 1024 ** power;
}
