/** Folders of runs as they are while they go on, when they are over, and when something went wrong; made of made-up numbers. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostRandom } from "../../../../core/random/mod.ts";
import { encodePng, samplePicture } from "../../../../plugins/observers/mod.ts";

/** How far a run is, and what became of it. */
export interface ShownRun {
  /** Steps of the distillation that are done, of 4,400; the teacher's 2,000 are before them. */
  readonly done: number;
  /** Steps in all, for a long one. */
  readonly steps?: number;
  readonly end?: "complete" | "stopped" | "failed";
  readonly seed?: number;
  /** Weight of the GAN loss. */
  readonly weight?: number;
  readonly warns?: boolean;
  /** Whether every update is read, so that the log is long. */
  readonly dense?: boolean;
}

/** Writes the folder of a run; one that waits has only its config. */
export function writeRun(path: string, shown: ShownRun | undefined): string {
  const { done = 0, steps = 4400, end, seed = 0, weight = 0.3, warns = false, dense = false } = shown ?? {};
  mkdirSync(join(path, "samples"), { recursive: true });
  const config = configOf(seed, weight, steps);
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  if (!shown) return path;
  const normal = normals(seed, 7);
  const scatter = () => Math.exp(0.25 * normal());
  const lines: string[] = [];
  let at = 0;
  const tell = (type: string, event: object) =>
    lines.push(JSON.stringify({ at: Number(at.toFixed(3)), type, ...event }));
  const stages = [
    { name: "teacher", steps: 2000 },
    { name: "distillation", steps },
  ];
  const device = "wasm: 2 threads, relaxed SIMD";
  tell("run/start", { seed, steps: 2000 + steps, stages, device, plannedBytes: 31 * 2 ** 20, config });
  const update = (stage: string, role: string, step: number, losses: object) =>
    tell("role/updated", { stage, role, step, losses });
  for (let step = 0; step < 2000; step++) {
    at += 0.006;
    if (step % 50 === 0)
      update("teacher", "teacher", step, {
        "edm-denoising": (0.16 + 0.8 * Math.exp(-step / 300)) * scatter() ** 0.3,
        "gradient-norm": (0.05 + Math.exp(-step / 200)) * scatter(),
      });
    tell("step/end", { stage: "teacher", step, ms: 6 * scatter() });
  }
  const bytes = 27 * 2 ** 20;
  for (let step = 0; step < done; step++) {
    at += 0.021;
    if (step % 88 === 0) tell("device/read", { stage: "distillation", step, bytes: bytes + (step > 88 ? 2 ** 20 : 0) });
    if (dense || step % 50 === 0) {
      const settled = Math.exp(-step / 700);
      const runsAway = warns && step > 1800 ? 1 + (step - 1800) / 400 : 1;
      update("distillation", "generator", step, {
        "distribution-matching": (0.06 + 1.6 * settled) * scatter() * runsAway,
        "gan-generator": (0.69 + 0.5 * settled * weight) * scatter() ** 0.1 * runsAway,
        "gradient-norm": (0.08 + settled) * scatter(),
      });
      update("distillation", "critic", step, {
        "fake-score": 0.9 * scatter() ** 0.2,
        "gan-discriminator": (1.39 - 0.3 * settled) * scatter() ** 0.05,
        "gradient-norm": (0.25 + 2 * settled) * scatter(),
      });
    }
    if (step % 500 === 0 && step > 0)
      tell("learner/judged", {
        stage: "distillation",
        role: "generator",
        step,
        nfe: 1,
        count: 1000,
        metrics: { sw: 0.016 + 0.2 * settledAt(step) },
        seconds: 0.4,
        best: true,
      });
    tell("step/end", { stage: "distillation", step, ms: 21 * scatter() });
    if (step % 1500 === 1499) tell("checkpoint/saved", { step, path: join(path, "checkpoint"), bytes: 3 * 2 ** 20 });
  }
  if (warns)
    tell("health/warned", {
      monitor: "losing-discriminator",
      stage: "distillation",
      step: 2112,
      steps,
      message: "the generator's loss against the discriminator has grown for 300 steps",
      advice: "lower losses.gan-generator.weight, or let the critic learn faster with optimizers.critic.lr",
      severe: false,
    });
  if (end === "failed")
    tell("run/failed", {
      step: done,
      error: {
        code: "E_DIVERGED",
        message: `Cannot go on with the generator at step ${done}: its gradient is not finite, should be a number`,
      },
    });
  if (end === "complete")
    for (const [who, nfe, sw] of [
      ["data", 0, 0.0086],
      ["teacher", 79, 0.0071],
      ["generator", 1, 0.0156],
    ] as const)
      tell("samples/judged", {
        who,
        nfe,
        count: 10_000,
        metrics: { sw, "sw ±": 0.0004, modes: who === "generator" ? 7.9 : 8 },
      });
  if (end) tell("run/end", { steps: 2000 + done, reason: end });
  writeFileSync(join(path, "events.jsonl"), `${lines.join("\n")}\n`);
  for (const step of [275, 550, 1100, 2200, 4400].filter((each) => each <= done))
    writeFileSync(join(path, "samples", `generator-${step}.png`), picture(step, seed));
  return path;
}

/** Numbers of a normal distribution, near enough for a look. */
function normals(seed: number, stream: number): () => number {
  const uniform = hostRandom(seed, 0, stream);
  return () => Math.sqrt(4) * (uniform() + uniform() + uniform() - 1.5);
}

const settledAt = (step: number) => Math.exp(-step / 900);

/** Rings of points as a generator draws them on its way. */
function picture(step: number, seed: number): Uint8Array {
  const points = (spread: number) => {
    const normal = normals(seed, 8);
    return Float32Array.from({ length: 2000 }, (_, i) => {
      const angle = (Math.floor((i >> 1) / 125) * Math.PI) / 4;
      return (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)) + spread * normal();
    });
  };
  const sheets = [
    { title: "real data", x: points(0.12) },
    { title: "teacher, NFE 79, step 2000", x: points(0.13) },
    { title: `generator, NFE 1, step ${step}`, x: points(0.12 + 0.5 * settledAt(step)) },
  ];
  return encodePng(samplePicture(sheets, [2], 0));
}

const configOf = (seed: number, weight: number, steps: number) => ({
  dataset: { use: "gaussians", modes: 8, radius: 1, deviation: 0.12 },
  network: { use: "mlp", width: 128, depth: 5 },
  method: { use: "dmd2", teacher: { steps: 2000 }, criticStepsPerGeneratorStep: 5 },
  losses: {
    "distribution-matching": { weight: 1 },
    "gan-generator": { weight },
    "fake-score": { weight: 1 },
    "gan-discriminator": { weight: 1 },
  },
  optimizers: { generator: { use: "adamw", lr: 0.0005 }, critic: { use: "adamw", lr: 0.0005 } },
  train: { seed, steps, batch: 256, logEvery: 50 },
});
