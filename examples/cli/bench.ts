import { files } from "../../backends/host/files.ts";
import { offloading } from "../../backends/host/offload.ts";
import { failure } from "../../core/errors.ts";
import { DATASET } from "../../core/interfaces/mod.ts";
import {
  Control,
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
    const stage = { ...stages[stages.length - 1], steps: Number.MAX_SAFE_INTEGER };
    // A round is a whole cycle, whatever turns it has.
    const steps = stage.cycle.length;
    let next = 0;
    const train = async (count: number) => {
      const control = new Control();
      const last = next + count * steps - 1;
      const off = bus.on("step/end", ({ step }) => {
        if (step === last) control.send({ type: "stop" });
      });
      next = await trainer.train(stage, { start: next, control });
      off();
    };
    await train(2); // the first compiles, the second fills caches
    for (const each of programs) each.restart(false);
    const start = performance.now();
    await train(rounds);
    const ms = (performance.now() - start) / rounds / steps;
    print(`step    ${ms.toFixed(1)} ms on average, batch ${stage.batch}, ${steps} steps in a cycle`);
    // Programs that only readings need may not have run meanwhile.
    const ran = programs.filter(({ wallMs }) => wallMs.length > 0);
    for (const each of ran) print(`\n${summaryOf(each)}`);
    if (ceiling) {
      for (const each of programs) each.restart(true);
      await train(rounds);
      for (const each of ran) print(`\n${each.program.name}: ${profileOf(each, ceiling)}`);
    }
    trainer.dispose();
    await container.dispose();
  } finally {
    await backend.close();
  }
}
