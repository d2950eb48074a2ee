import { files } from "../../../backends/host/files.ts";
import { memoryLeft } from "../../../backends/host/limits.ts";
import { failure, OnestepError } from "../../../core/errors.ts";
import type { Backend } from "../../../core/interfaces/backend.ts";
import {
  checkCapacity,
  checkCounts,
  composeRun,
  planRun,
  type ResolvedConfig,
  type RunConfig,
  resolveConfig,
  withHint,
} from "../../../core/train/mod.ts";
import type { Given } from "../command.ts";
import { findConfig, layOver } from "../configFile.ts";
import { describeBackend, openBackend, tuning } from "../device.ts";
import { fitConfig } from "../fitConfig.ts";
import { loadRegistry } from "../registry.ts";
import { waysToFit } from "./advice.ts";
import { mebibytes, reportOf } from "./report.ts";

export async function run(given: Given): Promise<number> {
  const memory = readSize(given.text("memory"));
  const named = await findConfig(given.positionals[0], files);
  const registry = await loadRegistry(given.all("plugin"));
  const settled = (config: RunConfig) => layOver(config, given.all("set"), {});
  const wanted = await fitConfig(named, settled, registry, given.text("data"));
  const resolved = resolveConfig(wanted, registry);
  const device = await openBackend(given.text("device"), tuning(given));
  try {
    const capacity = memory ?? device.capacity;
    process.stdout.write(`device      ${describeBackend(device)}\n`);
    await report(resolved, device, capacity, given.text("data"));
    return 0;
  } finally {
    await device.close();
  }
}

/** @throws KernelError E_DEVICE_LIMIT that says what would fit */
async function report(
  resolved: ResolvedConfig,
  device: Backend,
  capacity: number | undefined,
  path: string | undefined,
): Promise<void> {
  const { settings } = resolved;
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  const found = (text: string) => print(`data        ${text}`);
  const container = await composeRun(resolved, device, { files, path, found });
  try {
    const plan = await planRun(container, settings, device);
    print(reportOf(plan));
    checkCounts(container, settings.evaluateCount, memoryLeft(process));
    checkCapacity(plan, device, capacity);
    print(
      capacity === undefined
        ? "fits        every tensor does; the device does not tell its memory, see --memory"
        : `fits        yes, the device has ${mebibytes(capacity)} MiB`,
    );
  } catch (error) {
    if (!(error instanceof OnestepError) || error.code !== "E_DEVICE_LIMIT") throw error;
    print("fits        no");
    const ways = await waysToFit(container, settings, device, capacity);
    const fix = ways.length
      ? `what would fit:\n  ${ways.join("\n  ")}`
      : "use a smaller network or another device; neither repeated blocks nor a smaller batch is enough";
    // A limit that was given by hand says nothing of the device.
    const hinted = capacity === device.capacity ? withHint(fix, device) : fix;
    throw failure("E_DEVICE_LIMIT", error.message, { fix: hinted, cause: error });
  } finally {
    await container.dispose();
  }
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
