/**
 * `node build.mjs soak memory --preset gaussians --device wasm --steps 10000`: whether a long run holds ever more.
 * `--minutes 120` in place of `--steps` ends it by the clock, as Ctrl-C would; `--data DIR` is for presets that need data.
 * `--samples FILE` judges what an earlier run has left.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { program, scratch } from "../examples/cli/program.ts";
import { judgeMemory, type MemorySample } from "./memoryJudge.ts";

const { values } = parseArgs({
  options: {
    preset: { type: "string", default: "gaussians" },
    device: { type: "string", default: "wasm" },
    steps: { type: "string" },
    minutes: { type: "string" },
    every: { type: "string" },
    data: { type: "string" },
    samples: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
  },
});
const { preset, device, data } = values;
/** What Ctrl-C makes of a run that goes well. */
const STOPPED = 130;

const read = (file: string): MemorySample[] =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(2)} MiB`;

/** Trains through the command line, and writes samples into a file. Resolves with whether the run ended as it should. */
async function train(folder: string, file: string): Promise<boolean> {
  const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
  // By the clock: more than any machine gets done.
  const steps = values.steps ?? (minutes === undefined ? "10000" : "10000000");
  const every = values.every ?? (minutes === undefined ? Math.max(1, Math.floor(Number(steps) / 250)) : 20);
  const words = ["train", preset, "--out", folder, "--device", device, "--steps", steps, "--quiet"];
  if (data) words.push("--data", data);
  const probe = [`observers.memory-probe.file=${file}`, `observers.memory-probe.every=${every}`];
  for (const setting of ["train.sampleEvery=200", ...probe, ...values.set]) words.push("--set", setting);
  words.push("--plugin", "test/soak/memoryProbe.ts");

  const child = spawn(process.execPath, ["--expose-gc", await program(), ...words], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const timer = minutes === undefined ? undefined : setTimeout(() => child.kill("SIGINT"), minutes * 60_000);
  const progress = setInterval(() => {
    const last = read(file).at(-1);
    if (last) console.log(`${last.seconds} s, ${last.stage} ${last.step}, rss ${mebibytes(last.rss)}`);
  }, 300_000);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  clearInterval(progress);
  const sound = code === (minutes === undefined ? 0 : STOPPED);
  if (!sound) console.log(`fault: the run ended with ${code}`);
  return sound;
}

const { path, remove } = scratch();
const file = values.samples ?? path("memory.jsonl");
const ended = values.samples !== undefined || (await train(path("run"), file));
const samples = read(file);
const last = samples.at(-1);
if (!last) throw new Error(`there are no samples in ${file}`);
console.log(`${preset}, ${device}: ${last.stage} ${last.step + 1} steps, ${last.seconds} s, ${samples.length} samples`);
const courses = judgeMemory(samples);
for (const { name, level, rise, most, flat } of courses) {
  const show = name === "descriptors" ? (value: number) => `${Math.round(value)}` : mebibytes;
  const values = `level ${show(level)}, rise ${show(rise)}, most ${show(most)}`;
  console.log(`${name.padEnd(12)} ${values}: ${flat ? "flat" : "NOT FLAT"}`);
}
const sound = ended && courses.every(({ flat }) => flat);
if (sound || values.samples) remove();
else console.log(`kept: ${file}`);
process.exitCode = sound ? 0 : 1;
