/** Networks and samplers on the cosine schedule, σ = tan(a·u + b), of a network that sees α·x and predicts x0. */
import { perSample, type RawNetwork } from "../../core/diffusion/mod.ts";
import { type Condition, type Denoiser, SAMPLER } from "../../core/interfaces/mod.ts";
import { add, clamp, div, log, mul, slice, sqrt, square, sub } from "../../core/ops/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { euler } from "../../plugins/samplers/euler.ts";
import { compose } from "./feed.ts";
import type { Job } from "./kind.ts";
import { RivalScene } from "./rivalScene.ts";
import { runSampler } from "./samplerRun.ts";
import type { Settings } from "./settings.ts";

/** σ at a share u of the schedule. */
export const cosineSigma = ({ reference }: Job, u: number): number =>
  Math.tan(reference.f64("in.logsnr_a")[0] * u + reference.f64("in.logsnr_b")[0]);

/** ln(α²/σ²) of a level. */
export const logSnr = (sigma: number): number => -2 * Math.log(sigma);

/** How the clean image is read off what a network says; x = x0 + σ·ε, s the levels shaped to broadcast over it. */
export type Reading = (said: Tensor, x: Tensor, s: Tensor) => Tensor;

const channels = (said: Tensor, x: Tensor, from: number): Tensor =>
  slice(said, { axis: 1, start: from, end: from + x.shape[1] });
/** The first channels. */
export const plain: Reading = (said, x) => channels(said, x, 0);
/** (1 − α²)·x̂ + α²·(x − σ·ε̂) of a network that predicts x̂ and ε̂; α² = 1/(1 + σ²). */
export const blended: Reading = (said, x, s) => {
  const [clean, eps] = [channels(said, x, 0), channels(said, x, x.shape[1])];
  const total = add(square(s), 1);
  return add(mul(div(square(s), total), clean), div(sub(x, mul(s, eps)), total));
};

/** D(x; σ) of a network that sees α·x and ln(α²/(1 − α²))/20 = −ln σ/10. */
export const cosineDenoiser = (network: RawNetwork, read: Reading): Denoiser => ({
  denoise(x, sigma, condition) {
    const s = perSample(sigma, x.shape.length);
    const seen = div(x, sqrt(add(square(s), 1)));
    return read(network(seen, mul(log(sigma), -0.1), condition), x, s);
  },
});

/** DDIM: Euler's steps in σ from level T to 0, every prediction clipped to [−1, 1]. */
export async function runDdim(job: Job, settings: Settings): Promise<void> {
  const { timesteps: T, steps, predict_both: both, id } = settings;
  const { reference, backend, check } = job;
  const scene = new RivalScene(job, id);
  const sigmas = Array.from({ length: steps + 1 }, (_, k) => cosineSigma(job, 1 - k / steps));
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
