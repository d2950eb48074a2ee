import { mean, mul } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { levelWeight } from "../../../plugins/losses/shared/levelWeight.ts";
import { progressiveLosses } from "../../../plugins/losses/shared/progressive.ts";
import { blended, cosineDenoiser, cosineSigma, logSnr, plain, type Reading, runDdim } from "../cosineSchedule.ts";
import type { Job, Kind } from "../kind.ts";
import { type Call, RivalScene, watchedNetwork } from "../rivalScene.ts";
import type { Settings } from "../settings.ts";

/** Progressive distillation and DDIM on the cosine schedule, σ = tan(a·u + b), of a network that sees α·x and predicts x0. */
export const progressiveVpKind: Kind = {
  name: "progressive distillation, cosine schedule",
  matches: ({ file }) => /^pd_vp/.test(file),
  run: (job) => job.each((sub) => (sub.sampler ? runDdim(job, sub) : runLoss(job, sub))),
};

async function runLoss(job: Job, settings: Settings): Promise<void> {
  const { timesteps: T, cur_step: steps, predict_both: both } = settings;
  const scene = new RivalScene(job, settings.id);
  const step = T / steps;
  const indices = scene.indices("rand.group").map((group) => group * step);
  // Level 0 of the grid is the clean image itself.
  const levelsAt = (back: number) =>
    indices.map((index) => (index === back ? 0 : cosineSigma(job, (index - back) / T)));
  const levels = [0, step / 2, step].map(levelsAt);
  const [sigma, middle, next] = levels.map((values, k) => scene.perSample(`level${k}`, values));
  const x = scene.tensor("in.x");
  const calls = { student: [] as Call[], teacher: [] as Call[], final: [] as Call[] };
  const role = (net: "student" | "teacher", read: Reading, kept: Call[]) =>
    cosineDenoiser(watchedNetwork(scene.network(both ? `${net}_both` : net), kept), read);
  const read = both ? blended : plain;
  const student = role("student", read, calls.student);
  const teacher = role("teacher", read, calls.teacher);
  // Where a step ends at the clean image, the reference takes the first channels as they are.
  const final = both ? role("teacher", plain, calls.final) : undefined;
  const losses = progressiveLosses(
    { x, eps: scene.tensor("rand.n"), condition: {}, sigma, middle, next },
    { generator: student, teacher, final },
    { distance: sampleDistances.l2, weight: levelWeight("truncated-snr", sigma, 1) },
  );
  // Theirs is summed over a sample.
  const loss = mul(mean(losses), sizeOf(x.shape.slice(1)));
  scene.output("loss", loss);
  scene.output("x_t", calls.student[0].x);
  scene.output("pred", calls.student[0].out);
  scene.output("teacher_pred", calls.teacher[0].out);
  scene.output("x_mid", calls.teacher[1].x);
  scene.output("second_pred", calls.teacher[1].out);
  ["logsnr", "logsnr_mid"].forEach((name, k) => {
    scene.output(name, levels[k].map(logSnr));
  });
  scene.gradients(loss, both ? "student_both" : "student");
  await scene.check(job);
}
