import { perSample, type RawNetwork } from "../../../core/diffusion/mod.ts";
import { type Condition, type Denoiser, SAMPLER } from "../../../core/interfaces/mod.ts";
import { add, clamp, div, log, mean, mul, slice, sqrt, square, sub } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { levelWeight } from "../../../plugins/losses/shared/levelWeight.ts";
import { progressiveLosses } from "../../../plugins/losses/shared/progressive.ts";
import { euler } from "../../../plugins/samplers/euler.ts";
import { compose } from "../feed.ts";
import type { Job, Kind } from "../kind.ts";
import { type Call, RivalScene, watchedNetwork } from "../rivalScene.ts";
import { runSampler } from "../samplerRun.ts";
import type { Settings } from "../settings.ts";

/** Progressive distillation and DDIM on the cosine schedule, σ = tan(a·u + b), of a network that sees α·x and predicts x0. */
export const progressiveVpKind: Kind = {
  name: "progressive distillation, cosine schedule",
  matches: ({ file }) => /^pd_vp/.test(file),
  run: (job) => job.each((sub) => (sub.sampler ? runDdim(job, sub) : runLoss(job, sub))),
};

const sigmaOf = ({ reference }: Job, u: number): number =>
  Math.tan(reference.f64("in.logsnr_a")[0] * u + reference.f64("in.logsnr_b")[0]);

async function runLoss(job: Job, settings: Settings): Promise<void> {
  const { timesteps: T, cur_step: steps, predict_both: both } = settings;
  const scene = new RivalScene(job, settings.id);
  const step = T / steps;
  const indices = scene.indices("rand.group").map((group) => group * step);
  // Level 0 of the grid is the clean image itself.
  const levelsAt = (back: number) => indices.map((index) => (index === back ? 0 : sigmaOf(job, (index - back) / T)));
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
    scene.output(
      name,
      levels[k].map((level) => -2 * Math.log(level)),
    );
  });
  scene.gradients(loss, both ? "student_both" : "student");
  await scene.check(job);
}

/** How the clean image is read off what a network says; x = x0 + σ·ε, s the levels shaped to broadcast over it. */
type Reading = (said: Tensor, x: Tensor, s: Tensor) => Tensor;

const channels = (said: Tensor, x: Tensor, from: number): Tensor =>
  slice(said, { axis: 1, start: from, end: from + x.shape[1] });
/** The first channels. */
const plain: Reading = (said, x) => channels(said, x, 0);
/** (1 − α²)·x̂ + α²·(x − σ·ε̂) of a network that predicts x̂ and ε̂; α² = 1/(1 + σ²). */
const blended: Reading = (said, x, s) => {
  const [clean, eps] = [channels(said, x, 0), channels(said, x, x.shape[1])];
  const total = add(square(s), 1);
  return add(mul(div(square(s), total), clean), div(sub(x, mul(s, eps)), total));
};

/** D(x; σ) of a network that sees α·x and ln(α²/(1 − α²))/20 = −ln σ/10. */
const cosineDenoiser = (network: RawNetwork, read: Reading): Denoiser => ({
  denoise(x, sigma, condition) {
    const s = perSample(sigma, x.shape.length);
    const seen = div(x, sqrt(add(square(s), 1)));
    return read(network(seen, mul(log(sigma), -0.1), condition), x, s);
  },
});

/** DDIM: Euler's steps in σ from level T to 0, every prediction clipped to [−1, 1]. */
async function runDdim(job: Job, settings: Settings): Promise<void> {
  const { timesteps: T, steps, predict_both: both, id } = settings;
  const { reference, backend, check } = job;
  const scene = new RivalScene(job, id);
  const sigmas = Array.from({ length: steps + 1 }, (_, k) => sigmaOf(job, 1 - k / steps));
  const end = sigmas.pop()!;
  const noise = `${id}.rand.xT`;
  const shape = reference.shape(noise);
  const data = { sample: shape.slice(1), condition: {}, sigmaData: 1 };
  const { denoise } = cosineDenoiser(scene.network(both ? "student_both" : "student"), both ? blended : plain);
  const record = await runSampler({
    backend,
    sampler: compose(data, euler({ sigmas, end })).get(SAMPLER),
    shape,
    feed: scene.feed,
    denoiser: {
      denoise: (x: Tensor, sigma: Tensor, condition: Condition) =>
        clamp(denoise(x, sigma, condition), { min: -1, max: 1 }),
    },
    start: reference.f64(noise).map((eps) => eps * Math.hypot(sigmas[0], 1)),
    noise: () => new Float32Array(0),
  });
  const made = record.states[record.states.length - 1].map((value) => value / Math.hypot(end, 1));
  for (const name of [`${id}.out.x`, `${id}.f64.out.x`]) check(made, name);
  if (T % steps !== 0) throw new Error(`${steps} steps do not divide ${T} timesteps`);
}
