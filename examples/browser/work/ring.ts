/** The worker that trains: eight Gaussians on a ring, first a teacher of many steps, then a generator of one. */
import {
  type Backend,
  type Dataset,
  hostRandom,
  mergeConfig,
  Registry,
  Run,
  resolveConfig,
} from "../../../core/mod.ts";
import {
  adamw,
  distributionMatching,
  dmd2Method,
  edm,
  edmDenoising,
  ema,
  fakeScore,
  fakeScoreLoss,
  fewStep,
  ganDiscriminator,
  ganGenerator,
  gaussianModes,
  gaussiansDataset,
  heun,
  mlp,
} from "../../../plugins/mod.ts";
import { config as preset } from "../../gaussians/methods/dmd2.ts";
import { openBest } from "./device.ts";
import type { DeviceReport, Pausing, TrainResult, Way } from "./messages.ts";
import { serve, tell } from "./serve.ts";

const registry = new Registry().register([
  ...[gaussiansDataset, mlp, edm, fewStep, fakeScore, heun, dmd2Method, adamw, ema, gaussianModes],
  ...[edmDenoising, distributionMatching, fakeScoreLoss, ganGenerator, ganDiscriminator],
]);

/** The preset `gaussians`, a little narrower; nothing is drawn on its own account. */
const ring = mergeConfig(preset, {
  network: { width: 96 },
  train: { sampleEvery: 0, evaluateCount: 5000 },
});

/** Points of a picture, and of the data. */
const SHOWN = 800;
/** Milliseconds between two pictures. */
const BETWEEN = 150;
/** The same noise for all pictures: points travel. */
const SEED = 1;

let backend: Backend | undefined;
let run: Run | undefined;
/** Whether the user holds the run. */
let held = false;
/** A picture that is being drawn: until it is done the run is held, and hears no command. */
let drawing: Promise<void> = Promise.resolve();

serve({ open, train, control });

async function open(wish?: Way): Promise<DeviceReport> {
  await backend?.close();
  const opened = await openBest(wish, new Map(), () => {});
  backend = opened.backend;
  Object.assign(globalThis, { onestep: backend });
  return opened.report;
}

async function control(command: Pausing): Promise<undefined> {
  held = command === "pause";
  await drawing;
  run?.send({ type: command });
  return undefined;
}

/** Trains to the end, or to a stop. Rejects where the device is lost: the run is too short to go on elsewhere. */
async function train({ seed }: { seed: number }): Promise<TrainResult> {
  if (!backend) throw new Error("no device is open");
  const config = mergeConfig(ring, { train: { seed } });
  const made = await Run.create({ resolved: resolveConfig(config, registry), backend });
  held = false;
  run = made;
  try {
    tell({ kind: "real", points: (await made.dataset.batch(SHOWN, hostRandom(SEED, 0, 0))).x });
    watch(made);
    const { reason, judgements } = await made.start();
    return { reason, judgements };
  } finally {
    run = undefined;
    await drawing;
    await made.dispose();
  }
}

/**
 * Tells the page of a run: every now and then it is held between two steps, and samples of the role that learns are drawn; what is
 * watched so takes a fifth of the time at most.
 */
function watch(watched: Run): void {
  const { bus } = watched;
  let stages: readonly { readonly name: string; readonly steps: number }[] = [];
  let at = { stage: "", step: 0, steps: 0 };
  let due = 0;
  const picture = async () => {
    const start = performance.now();
    const role = at.stage === "teacher" ? "teacher" : "generator";
    const { x, nfe } = await watched.draw(role, SHOWN, SEED);
    tell({ kind: "frame", ...at, role, nfe, points: x, share: shareNearModes(x, watched.dataset) });
    const now = performance.now();
    due = now + Math.max(BETWEEN, 4 * (now - start));
  };
  bus.on("run/start", (event) => {
    stages = event.stages;
  });
  bus.on("step/end", ({ stage, step }) => {
    const steps = stages.find(({ name }) => name === stage)?.steps ?? 0;
    at = { stage, step: step + 1, steps };
    // A run that has no step left would never hear it.
    if (step + 1 < steps && performance.now() >= due) {
      due = Number.POSITIVE_INFINITY;
      watched.send({ type: "pause" });
    }
  });
  bus.on("control/received", ({ command }) => {
    if (command.type !== "pause") return;
    drawing = picture()
      .catch(() => {})
      .then(() => {
        if (!held) watched.send({ type: "resume" });
      });
  });
}

/** The share of points within two standard deviations of the mode that is nearest. */
function shareNearModes(points: Float32Array, { mixture }: Dataset): number {
  if (!mixture) return 0;
  const { means, std } = mixture;
  let near = 0;
  for (let i = 0; i < points.length; i += 2) {
    let least = Number.POSITIVE_INFINITY;
    for (let k = 0; k < means.length; k += 2)
      least = Math.min(least, Math.hypot(points[i] - means[k], points[i + 1] - means[k + 1]));
    if (least <= 2 * std) near++;
  }
  return near / (points.length / 2);
}
