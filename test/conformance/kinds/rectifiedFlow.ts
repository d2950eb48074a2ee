import type { FlowNetwork } from "../../../core/diffusion/mod.ts";
import { abs, add, log, mean, mul, neg, sub } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { type SampleDistance, sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { flowLosses } from "../../../plugins/losses/shared/straightPath.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { only, type Settings } from "../settings.ts";

/** The earliest time that they train at; theirs is 1 at the sample. */
const EPS = 1e-3;
/** Their network is told 999·t, of which the tiny one takes a thousandth. */
const TIME_SCALE = 0.999;

/** Rectified flow: the loss of the first flow, of reflow on pairs, and of distillation into k steps. */
export const rectifiedFlowKind: Kind = {
  name: "rectified flow",
  matches: ({ file }) => /^rectified_flow/.test(file),
  run: (job) => job.each((sub) => runLoss(job, sub)),
};

async function runLoss(job: Job, settings: Settings): Promise<void> {
  const { reflow, schedule, reduce_mean: averaged } = settings;
  const scene = new RivalScene(job, settings.id);
  const x = scene.tensor("in.x1");
  const z = scene.tensor(reflow ? "in.z0" : "rand.z0");
  const times = timesOf(scene, x.shape[0], reflow ? schedule : "uniform");
  const time = scene.perSample(
    "time",
    times.map((t) => 1 - t),
  );
  const network = scene.network("student");
  const velocity: FlowNetwork = (xt, t, condition) => neg(network(xt, mul(sub(1, t), TIME_SCALE), condition));
  const distance = distanceOf((reflow ? only(settings, "loss", "l2", "l1", "logl1") : undefined) ?? "l2");
  const losses = flowLosses({ x, z, time, condition: scene.condition() }, velocity, distance);
  // Without `reduce_mean` theirs is half of the sum over a sample.
  const loss = averaged ? mean(losses) : mul(mean(losses), 0.5 * sizeOf(x.shape.slice(1)));
  scene.output("loss", loss);
  scene.gradients(loss, "student");
  await scene.check(job);
}

function timesOf(scene: RivalScene, count: number, schedule: unknown): number[] {
  if (schedule === "t0") return new Array<number>(count).fill(EPS);
  if (schedule === "t1") return new Array<number>(count).fill(1);
  const spread = (parts: number) => (drawn: number) => (drawn * (1 - EPS)) / parts + EPS;
  if (schedule === "uniform") return Array.from(scene.reference.f32(`${scene.prefix}rand.t`), spread(1));
  if (Number.isInteger(schedule)) return scene.indices("rand.k").map(spread(schedule as number));
  throw new Unsupported(`no schedule ${JSON.stringify(schedule)}`);
}

function distanceOf(name: string): SampleDistance {
  if (name !== "logl1") return sampleDistances[name as "l1" | "l2"];
  return (a, b) => mean(log(add(abs(sub(a, b)), 1e-3)), { axes: a.shape.map((_, axis) => axis).slice(1) });
}
