import { karrasSigmas } from "../../../core/diffusion/mod.ts";
import { mean, mul } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { levelWeight } from "../../../plugins/losses/shared/levelWeight.ts";
import { clipped, ddimTo, heunTo } from "../../../plugins/losses/shared/pathSteps.ts";
import { tractLosses } from "../../../plugins/losses/shared/tract.ts";
import { blended, cosineDenoiser, cosineSigma, logSnr, plain, runDdim } from "../cosineSchedule.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { type Call, RivalScene, watchedDenoiser, watchedNetwork } from "../rivalScene.ts";
import { only, type Settings } from "../settings.ts";

/** TRACT from a teacher in EDM's preconditioning, and on the cosine schedule. */
export const tractKind: Kind = {
  name: "TRACT",
  matches: ({ file }) => /^tract/.test(file),
  run(job) {
    const cosine = job.reference.has("in.logsnr_a");
    return job.each((sub) => (sub.sampler ? runDdim(job, sub) : (cosine ? runCosine : runKarras)(job, sub)));
  },
};

const SIGMA_DATA = 0.5;

async function runKarras(job: Job, settings: Settings): Promise<void> {
  const { timesteps: T, groups } = settings;
  const scene = new RivalScene(job, settings.id);
  const x = scene.tensor("in.x");
  only(settings, "B", x.shape[0]);
  // Index 0 is the clean sample, then the levels rise.
  const table = [0, ...karrasSigmas(T, { sigmaMin: 0.002, sigmaMax: 80, rho: 7 }).reverse()];
  scene.output("sigma_table", table);
  const step = Math.floor(T / groups);
  const semi = scene.indices("rand.semi");
  const index = scene.indices("rand.group").map((group) => group * step);
  const levels = [0, 1, 2].map((place) => index.map((i, b) => table[place === 2 ? i - step : i - semi[b] - place]));
  scene.output("s0", levels[0]);
  // Theirs stays where it is for a step to the clean sample.
  scene.output(
    "s1",
    levels[1].map((level, b) => level || levels[0][b]),
  );
  const [sigma, middle, end] = levels.map((values, k) => scene.perSample(`level${k}`, values));
  const calls = { student: [] as Call[], teacher: [] as Call[], self_teacher: [] as Call[] };
  const role = (net: keyof typeof calls) => watchedDenoiser(scene.edm(net, SIGMA_DATA), calls[net]);
  const losses = tractLosses(
    { x, eps: scene.tensor("rand.n"), condition: scene.condition(), sigma, middle, end },
    { generator: role("student"), teacher: role("teacher"), selfTeacher: clipped(role("self_teacher"), 1) },
    { distance: sampleDistances.l2, weight: levelWeight("karras", sigma, SIGMA_DATA), step: heunTo },
  );
  const loss = mean(losses);
  scene.output("loss", loss);
  scene.output("x_t", calls.student[0].x);
  scene.output("pred_x0", calls.student[0].out);
  scene.output("heun_x", calls.self_teacher[0].x);
  scene.output("self_teacher_x0", calls.self_teacher[0].out);
  scene.gradients(loss, "student");
  await scene.check(job);
}

async function runCosine(job: Job, settings: Settings): Promise<void> {
  const { timesteps: T, predict_both: both, time_schedule: schedule } = settings;
  if (schedule.length !== 2) throw new Unsupported(`no schedule of ${schedule.length - 1} phases in one loss`);
  const [semi, step] = schedule.map((count: number) => T / count);
  const scene = new RivalScene(job, settings.id);
  const semis = scene.indices("rand.semi").map((count) => count * semi);
  const places = scene.indices("rand.group").map((group, b) => {
    const index = group * step;
    return [index - semis[b], index - semis[b] - semi, index - step];
  });
  const levels = [0, 1, 2].map((k) => places.map((place) => cosineSigma(job, place[k] / T)));
  const [sigma, middle, end] = levels.map((values, k) => scene.perSample(`level${k}`, values));
  const x = scene.tensor("in.x");
  const calls = { student: [] as Call[], teacher: [] as Call[], self_teacher: [] as Call[] };
  const role = (net: keyof typeof calls) =>
    cosineDenoiser(watchedNetwork(scene.network(both ? `${net}_both` : net), calls[net]), both ? blended : plain);
  const losses = tractLosses(
    { x, eps: scene.tensor("rand.n"), condition: {}, sigma, middle, end },
    { generator: role("student"), teacher: clipped(role("teacher"), 1), selfTeacher: clipped(role("self_teacher"), 1) },
    { distance: sampleDistances.l2, weight: levelWeight("truncated-snr", sigma, 1), step: ddimTo },
  );
  // Theirs is summed over a sample.
  const loss = mul(mean(losses), sizeOf(x.shape.slice(1)));
  scene.output("loss", loss);
  scene.output("x_t", calls.student[0].x);
  scene.output("pred", calls.student[0].out);
  scene.output("teacher_pred", calls.teacher[0].out);
  scene.output("x_mid", calls.self_teacher[0].x);
  scene.output("second_pred", calls.self_teacher[0].out);
  scene.output("logsnr", levels[0].map(logSnr));
  scene.output("logsnr_mid", levels[1].map(logSnr));
  scene.gradients(loss, both ? "student_both" : "student");
  await scene.check(job);
}
