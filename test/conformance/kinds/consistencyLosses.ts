import { karrasSigmas } from "../../../core/diffusion/mod.ts";
import { interpolate, mean } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { boundaryDenoiser } from "../../../plugins/generators/shared/boundary.ts";
import { consistencyLosses, consistencyTrainingLosses } from "../../../plugins/losses/shared/consistency.ts";
import { type SampleDistance, sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { type LevelWeight, levelWeight, levelWeights } from "../../../plugins/losses/shared/levelWeight.ts";
import { progressiveLosses } from "../../../plugins/losses/shared/progressive.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { type Call, RivalScene, watchedDenoiser } from "../rivalScene.ts";
import { ignore, type Settings } from "../settings.ts";

/** Consistency distillation and training, and progressive distillation, on Karras' levels. */
export const consistencyLossesKind: Kind = {
  name: "consistency losses",
  matches: ({ file }) => /^cm_losses/.test(file),
  run: (job) => job.each((sub) => runLosses(job, sub)),
};

async function runLosses(job: Job, sub: Settings): Promise<void> {
  const { mode, sigma_min: sigmaMin, sigma_data: sigmaData, num_scales: count } = sub;
  if (mode !== "cd" && mode !== "ct" && mode !== "pd") throw new Unsupported(`no mode ${mode}`);
  ignore(sub, "labels"); // there when the sub-case has them
  const scene = new RivalScene(job, sub.id);
  // A step of progressive distillation is one interval of N, which has a middle; of consistency one of N − 1.
  const parts = mode === "pd" ? 2 : 1;
  const grid = karrasSigmas(mode === "pd" ? 2 * count + 1 : count, {
    sigmaMin,
    sigmaMax: sub.sigma_max,
    rho: sub.rho,
  });
  const indices = scene.indices("rand.indices");
  const levels = Array.from({ length: parts + 1 }, (_, k) => indices.map((index) => grid[parts * index + k]));
  levels.forEach((values, k) => {
    scene.output(k === 0 ? "t" : `t${k + 1}`, values);
  });
  const [sigma, ...later] = levels.map((values, k) => scene.perSample(`level${k}`, values));
  const samples = {
    x: scene.tensor("in.x_start"),
    eps: scene.tensor("rand.noise"),
    condition: scene.condition(),
    sigma,
  };
  const calls = { student: [] as Call[], target: [] as Call[], teacher: [] as Call[] };
  const watched = (net: keyof typeof calls) => {
    const plain = scene.edm(net, sigmaData);
    const bounded = mode !== "pd" && net !== "teacher";
    const denoiser = bounded ? boundaryDenoiser(plain, { sigmaMin, sigmaData }) : plain;
    return watchedDenoiser(denoiser, calls[net]);
  };
  const student = watched("student");
  const weight = weightOf(sub.weight_schedule, sigma, sigmaData);
  const options = { weight, distance: distanceOf(sub.loss_norm) };
  const made = {
    cd: () =>
      consistencyLosses(
        { ...samples, next: later[0] },
        { generator: student, target: watched("target"), teacher: watched("teacher") },
        options,
      ),
    ct: () =>
      consistencyTrainingLosses(
        { ...samples, next: later[0] },
        { generator: student, target: watched("target") },
        options,
      ),
    pd: () =>
      progressiveLosses(
        { ...samples, middle: later[0], next: later[1] },
        { generator: student, teacher: watched("teacher") },
        options,
      ),
  };
  const losses = made[mode as keyof typeof made]();
  const loss = mean(losses);
  scene.output("x_t", calls.student[0].x);
  scene.output("distiller", calls.student[0].out);
  if (mode !== "ct") {
    scene.output("teacher_x0", calls.teacher[0].out);
    scene.output("teacher_x0_2", calls.teacher[1].out);
    scene.output("heun_x", calls.teacher[1].x);
  }
  scene.output("x_t2", (calls.target[0] ?? calls.teacher[1]).x);
  if (mode !== "pd") scene.output("target", calls.target[0].out);
  scene.output("weights", weight);
  scene.output("loss", losses);
  scene.output("loss_mean", loss);
  scene.gradients(loss, "student");
  await scene.check(job);
}

function weightOf(name: string, sigma: Tensor, sigmaData: number): Tensor {
  if (!(levelWeights as readonly string[]).includes(name)) throw new Unsupported(`no weight ${name}`);
  return levelWeight(name as LevelWeight, sigma, sigmaData);
}

function distanceOf(norm: string): SampleDistance {
  if (norm === "l1" || norm === "l2") return sampleDistances[norm];
  if (norm !== "l2-32") throw new Unsupported(`no distance ${norm}`);
  const resized = (x: Tensor) => interpolate(x, { size: 32, mode: "bilinear" });
  return (a, b) => sampleDistances.l2(resized(a), resized(b));
}
