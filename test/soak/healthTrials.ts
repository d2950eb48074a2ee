/** Runs that are well and runs that are not, with what the monitors of their health say and when. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { files } from "../../backends/host/files.ts";
import { DATASET, type Reading } from "../../core/interfaces/mod.ts";
import { hostRandom } from "../../core/random/hostRandom.ts";
import { composeRun, type HealthWarning, Run, resolveConfig } from "../../core/train/mod.ts";
import { findConfig, layOver } from "../../examples/cli/configFile.ts";
import { openWasm } from "../../examples/cli/device.ts";
import { loadRegistry } from "../../examples/cli/registry.ts";
import { encodePng } from "../../plugins/observers/drawing/png.ts";

/** A run of a preset with changes that leave it well, or not. */
export interface Trial {
  readonly name: string;
  readonly preset: string;
  readonly healthy: boolean;
  /** As `--set` takes them. */
  readonly changes: readonly string[];
  /** Whether it is the training of the teacher that the others begin with. */
  readonly isTeacher?: boolean;
}

/** What became of a run. */
export interface Outcome {
  readonly trial: Trial;
  readonly seed: number;
  readonly warnings: readonly HealthWarning[];
  readonly readings: readonly Reading[];
  /** Seconds of processor time, and the part of it that the readings took. */
  readonly seconds: number;
  readonly share: number;
}

/** Where a trial finds its data, and what it may share. */
export interface Place {
  /** A folder that is there, for teachers, pictures and results. */
  readonly folder: string;
  /** The folder of the four MNIST files. */
  readonly mnist: string;
  readonly say?: (line: string) => void;
}

const both = (generator: number, critic: number) => [
  `optimizers.generator.lr=${generator}`,
  `optimizers.critic.lr=${critic}`,
];
const gan = (factor: number, generator: number, discriminator: number) => [
  `losses.gan-generator.weight=${factor * generator}`,
  `losses.gan-discriminator.weight=${factor * discriminator}`,
];
const faulty = (preset: string, name: string, changes: readonly string[]): Trial => ({
  name: `${preset}, ${name}`,
  preset,
  changes,
  healthy: false,
});
const well = (preset: string): Trial => ({ name: preset, preset, healthy: true, changes: [] });

/** The training of a preset's teacher. */
const teacher = (preset: string): Trial => ({
  name: `${preset} teacher`,
  preset,
  healthy: true,
  changes: ["train.steps=0"],
  isTeacher: true,
});

/** Every trial, healthy ones first: teachers, then what is distilled from them. */
export const trials: readonly Trial[] = [
  ...["gaussians", "mnist"].map(teacher),
  ...["gaussians", "gaussians-consistency", "gaussians-progressive", "mnist", "pictures"].map(well),
  faulty("gaussians", "rates × 30", both(0.045, 0.09)),
  faulty("mnist", "rates × 10", both(5e-3, 1e-2)),
  faulty("mnist", "rates × 30", both(1.5e-2, 3e-2)),
  faulty("mnist", "GAN × 30", gan(30, 3e-3, 1e-2)),
  faulty("mnist", "GAN × 100", gan(100, 3e-3, 1e-2)),
  faulty("mnist", "critic rate 0", ["optimizers.critic.lr=0"]),
  faulty("mnist", "TTUR 1:1", ["method.ttur.critic=1"]),
];

/** Judging is another matter than health. */
const UNJUDGED = ["train.evaluateCount=16", "metrics.classifier-frechet=off", "metrics.gaussian-modes=off"];

/** Trains as a trial says, a faulty one up to half of its steps, with the teacher that all runs of its data share. */
export async function runTrial(trial: Trial, seed: number, place: Place): Promise<Outcome> {
  const begin = trial.isTeacher ? [] : ["method.teacher.steps=0", `start.teacher=${await teacherOf(trial, place)}`];
  const out = folderOf(trial, seed);
  const found = await train(trial, place, out, [`train.seed=${seed}`, ...begin, ...trial.changes]);
  return { trial, seed, ...found };
}

const folderOf = ({ name }: Trial, seed: number): string => `${name} ${seed}`.replace(/\W+/g, "-");

/** Weights of a teacher, that of seed 0 of the kind of data; trained where no trial has done so. */
async function teacherOf(trial: Trial, place: Place): Promise<string> {
  const own = teacher(kindOf(trial));
  const path = join(place.folder, folderOf(own, 0), "teacher.safetensors");
  if (existsSync(path)) return path;
  place.say?.(`training the ${own.name}`);
  await runTrial(own, 0, place);
  return path;
}

/** Pictures of digits are digits: one teacher serves both. */
const kindOf = ({ preset }: Trial): string => (preset.startsWith("gaussians") ? "gaussians" : "mnist");

async function train(trial: Trial, place: Place, out: string, changes: readonly string[]) {
  const { config } = await configOf(trial);
  const off = UNJUDGED.filter(
    (each) => !each.endsWith("off") || JSON.stringify(config.metrics).includes(each.slice(8, -4)),
  );
  const resolved = resolveConfig(layOver(config, [...off, ...changes], {}), await loadRegistry());
  const backend = await openWasm();
  const path = trial.preset === "pictures" ? await digitsAsPng(place) : place.mnist;
  const run = await Run.create({
    resolved,
    backend,
    data: { files, path },
    output: { files, path: join(place.folder, out), existing: "replace" },
  });
  const readings: Reading[] = [];
  const warnings: HealthWarning[] = [];
  run.bus.on("health/read", ({ type: _, ...reading }) => {
    readings.push(reading);
    if (!trial.healthy && reading.step >= reading.steps / 2) run.stop();
  });
  const cost = costOf(run);
  run.bus.on("health/warned", ({ type: _, ...warning }) => void warnings.push(warning));
  try {
    await run.start();
  } catch (error) {
    // A run that fails has not been warned of by that alone.
    place.say?.(`${out} ends: ${(error as Error).message}`);
  } finally {
    await run.dispose();
    await backend.close();
  }
  return { readings, warnings, ...cost() };
}

/** Processor time of all threads in seconds. */
const processorTime = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Measures what the training of a run takes, and what its readings take of that. */
function costOf({ trainer }: Run): () => Pick<Outcome, "seconds" | "share"> {
  let [all, readings] = [0, 0];
  const train = trainer.train.bind(trainer);
  trainer.train = async (stage, { beforeStep, ...request } = {}) => {
    const began = processorTime();
    const measured = async (step: number) => {
      const start = processorTime();
      await beforeStep?.(step);
      readings += processorTime() - start;
    };
    const next = await train(stage, { ...request, beforeStep: measured });
    all += processorTime() - began;
    return next;
  };
  return () => ({ seconds: all, share: readings / all });
}

const configOf = async ({ preset }: Trial) => {
  if (preset !== "pictures") return findConfig(preset, files);
  const { config } = await findConfig("mnist", files);
  return { config: { ...config, dataset: { use: "pictures", classes: 10 } } };
};

/** Pictures of each digit, as files in ten folders. */
const EACH = 500;

/** Digits of MNIST at 16 x 16 pixels, as someone's own pictures. */
async function digitsAsPng({ folder, mnist }: Place): Promise<string> {
  const path = join(folder, "digits");
  if (existsSync(join(path, "9", `${EACH - 1}.png`))) return path;
  const { config } = await findConfig("mnist", files);
  const { ReferenceBackend } = await import("../../backends/reference/mod.ts");
  const resolved = resolveConfig(config, await loadRegistry());
  const container = await composeRun(resolved, new ReferenceBackend(), { files, path: mnist });
  const dataset = container.get(DATASET);
  const size = 16 * 16;
  const counts = new Map<number, number>();
  for (let round = 0; [...Array(10).keys()].some((digit) => (counts.get(digit) ?? 0) < EACH); round++) {
    const { x, condition } = await dataset.batch(1000, hostRandom(1, round, 0));
    for (const [i, label] of (condition.label as Int32Array).entries()) {
      const count = counts.get(label) ?? 0;
      if (count >= EACH) continue;
      counts.set(label, count + 1);
      mkdirSync(join(path, String(label)), { recursive: true });
      const pixels = Uint8Array.from((x as Float32Array).subarray(i * size, (i + 1) * size), (v) =>
        Math.round((v + 1) * 127.5),
      );
      writeFileSync(
        join(path, String(label), `${count}.png`),
        encodePng({ width: 16, height: 16, channels: 1, data: pixels }),
      );
    }
  }
  await container.dispose();
  return path;
}
