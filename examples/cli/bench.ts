import { files } from "../../backends/host/files.ts";
import { offloading } from "../../backends/host/offload.ts";
import { failure } from "../../core/errors.ts";
import { DATASET } from "../../core/interfaces/mod.ts";
import {
  composeRun,
  EventBus,
  type ResolvedConfig,
  type RunConfig,
  resolveConfig,
  Trainer,
} from "../../core/train/mod.ts";
import type { Given } from "./command.ts";
import { findConfig, layOver } from "./configFile.ts";
import { describeBackend, openBackend, tuning } from "./device.ts";
import { fitConfig } from "./fitConfig.ts";
import { measureCeiling } from "./profile/ceiling.ts";
import { profileOf, summaryOf } from "./profile/report.ts";
import { watch } from "./profile/watch.ts";
import { registryFor } from "./registry.ts";
import { StepTimer } from "./stepTime.ts";

export async function run(given: Given): Promise<number> {
  const rounds = Number(given.text("rounds") ?? 3);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw failure(
      "E_USAGE",
      `Cannot run bench: --rounds must be a whole number from 1, current value is ${given.text("rounds")}`,
    );
  const named = await findConfig(given.positionals[0], files);
  const registry = await registryFor(named.config, given.all("plugin"));
  const settled = (config: RunConfig) => layOver(config, given.all("set"), {});
  const wanted = await fitConfig(named, settled, registry, given.text("data"));
  await benchConfig(given, resolveConfig(wanted, registry), rounds);
  return 0;
}

async function benchConfig(given: Given, resolved: ResolvedConfig, rounds: number): Promise<void> {
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  const backend = await openBackend(given.text("device"), tuning(given));
  try {
    print(`device  ${describeBackend(backend)}`);
    const ceiling = given.on("profile") ? await measureCeiling(backend) : undefined;
    const programs = watch(backend);
    // As `train` decodes.
    const found = (text: string) => print(`data    ${text}`);
    const data = { files, path: given.text("data"), offload: offloading(), found };
    const container = await composeRun(resolved, backend, data);
    const bus = new EventBus();
    const { settings } = resolved;
    const trainer = new Trainer(container, backend, container.get(DATASET), bus, settings);
    const { stages } = trainer.method;
    for (const each of stages) await trainer.begin(each);
    const stage = stages[stages.length - 1];
    const timer = new StepTimer(trainer, bus, stage);
    await timer.train(2); // the first compiles, the second fills caches
    for (const each of programs) each.restart(false);
    const { ms } = await timer.train(rounds);
    print(`step    ${ms.toFixed(1)} ms on average, batch ${stage.batch}, ${timer.cycle} steps in a cycle`);
    // Programs that only readings need may not have run meanwhile.
    const ran = programs.filter(({ wallMs }) => wallMs.length > 0);
    for (const each of ran) print(`\n${summaryOf(each)}`);
    if (ceiling) {
      for (const each of programs) each.restart(true);
      await timer.train(rounds);
      for (const each of ran) print(`\n${each.program.name}: ${profileOf(each, ceiling)}`);
    }
    trainer.dispose();
    await container.dispose();
  } finally {
    await backend.close();
  }
}
