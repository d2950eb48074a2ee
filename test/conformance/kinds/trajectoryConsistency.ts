import { karrasSigmas } from "../../../core/diffusion/mod.ts";
import type { Condition, Denoiser } from "../../../core/interfaces/mod.ts";
import { add, clamp, constant, interpolate, log, matmul, maximum, mean, mul, pow } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { sampleDistances } from "../../../plugins/losses/shared/distillation.ts";
import { type LevelWeight, levelWeight, levelWeights } from "../../../plugins/losses/shared/levelWeight.ts";
import {
  type Jump,
  jumpOf,
  jumpWeight,
  noisedPath,
  pullRatio,
  stillSquares,
  trajectorySides,
} from "../../../plugins/losses/shared/trajectoryConsistency.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { ignore, only, type Settings } from "../settings.ts";

const SIGMA_DATA = 0.5;
const BOUNDS = { sigmaMin: 0.002, sigmaMax: 80, rho: 7 };

/** Consistency trajectory models: both sides of the loss, denoising, hinge GAN, and their gradients. */
export const trajectoryConsistencyKind: Kind = {
  name: "consistency trajectories",
  matches: ({ file }) => /^ctm_losses/.test(file),
  run: (job) => job.each((sub) => runLosses(job, sub)),
};

/** The networks are told the logarithm of a level. */
const told = (level: Tensor): Tensor => mul(log(level), 0.25);

async function runLosses(job: Job, sub: Settings): Promise<void> {
  const scene = new RivalScene(job, sub.id);
  const count: number = sub.start_scales;
  const grid = karrasSigmas(count, BOUNDS);
  // How the numbers of steps and the ends were drawn does not matter to what they are.
  ignore(
    sub,
    "num_heun_step",
    "num_heun_step_random",
    "heun_step_strategy",
    "heun_step_multiplier",
    "sample_s_strategy",
  );
  const steps = sub.num_heun_step_random ? scene.indices("rand.k")[0] : sub.num_heun_step;
  const first = scene.indices("rand.idx");
  const last = sub.sample_s_strategy === "smallest" ? first.map(() => count - 1) : scene.indices("rand.s_idx");
  const at = (name: string, places: readonly number[]) => {
    const values = places.map((place) => grid[place]);
    if (["t", "u", "s"].includes(name)) scene.output(name, values);
    return scene.perSample(name, values);
  };
  const levels = Array.from({ length: steps + 1 }, (_, j) =>
    at(
      j === 0 ? "t" : j === steps ? "u" : `level${j}`,
      first.map((place) => place + j),
    ),
  );
  const [from, through, to] = [levels[0], levels[steps], at("s", last)];
  const x = scene.tensor("in.x");
  const condition = scene.condition();
  const { noisy, reached } = noisedPath(scene.edm("teacher", SIGMA_DATA), {
    x,
    eps: scene.tensor("rand.noise"),
    levels,
    steps: constant(steps, "f32", from.shape),
    condition,
  });
  scene.output("x_t", noisy);
  scene.output("x_u", reached);
  const [student, average] = [scene.edm("student", SIGMA_DATA), scene.edm("target", SIGMA_DATA)];
  const kinds = { model: student, model_sg: student, target_model: average, target_model_sg: average };
  const jump = (name: string, ...known: (keyof typeof kinds)[]): Jump =>
    jumpOf(kinds[only(sub, name, ...known) as keyof typeof kinds], told);
  const floor = scene.perSample(
    "floor",
    first.map(() => BOUNDS.sigmaMin),
  );
  const sides = trajectorySides(
    { x: noisy, reached, from, through, to, floor, condition },
    {
      generator: jump("ctm_estimate_inner_type", "model"),
      target: jump("ctm_target_inner_type", "model_sg", "target_model_sg"),
      outer: jump("ctm_estimate_outer_type", "target_model_sg"),
    },
  );
  scene.output("estimate", sides.estimate);
  scene.output("target", sides.target);
  const weights = weightOf(sub, { from, to });
  scene.output("weights", weights);
  const consistency = mul(distanceOf(sub)(sides.estimate, sides.target), weights);
  scene.output("consistency_loss", consistency);
  let total = mean(consistency);
  const out = scene.weight("student", "out_w");
  const balanced = (loss: Tensor, isAdaptive: boolean, bound: (ratio: Tensor) => Tensor) =>
    isAdaptive ? mul(loss, bound(pullRatio(mean(consistency), mean(loss), out, 1e4))) : loss;
  if (sub.dsm) {
    const still = balanced(denoising(scene, sub, student, x, condition), sub.apply_adaptive_weight, (ratio) => ratio);
    scene.output("denoising_loss", still);
    total = add(total, mean(still));
  } else ignore(sub, "apply_adaptive_weight", "diffusion_mult");
  if (sub.gan) {
    const fake = jumpOf(student, told)(noisy, from, floor, condition);
    scene.output("fake", fake);
    const made = balanced(mul(mean(logitsOf(scene, fake)), -1), sub.d_apply_adaptive_weight, (ratio) =>
      clamp(ratio, { min: 0.01, max: 10 }),
    );
    scene.output("d_loss", made);
    total = add(total, made);
    const hinge = (images: Tensor, sign: number) => mean(maximum(add(1, mul(logitsOf(scene, images), sign)), 0));
    const judged = add(hinge(fake, 1), hinge(x, -1));
    scene.output("disc_loss", judged);
    scene.gradients(judged, "disc");
  } else ignore(sub, "d_apply_adaptive_weight");
  scene.output("total", total);
  scene.gradients(total, "student");
  await scene.check(job);
}

/** A mean per sample; half of the levels are log-normal, the others lie evenly in the grid's own measure. */
function denoising(scene: RivalScene, sub: Settings, student: Denoiser, x: Tensor, condition: Condition): Tensor {
  const [low, high] = [BOUNDS.sigmaMin, BOUNDS.sigmaMax].map((sigma) => sigma ** (1 / BOUNDS.rho));
  const drawn = [
    ...[...scene.numbers("rand.ln")].map((n) => Math.exp(1.2 * n - 1.2)),
    ...[...scene.numbers("rand.du")].map((u) => (high + sub.diffusion_mult * u * (low - high)) ** BOUNDS.rho),
  ];
  const sigma = scene.perSample("dsm", drawn);
  const squares = stillSquares(
    student,
    { x, eps: scene.tensor("rand.dsm_noise"), sigma, condition },
    told,
    levelWeight("karras", sigma, SIGMA_DATA),
  );
  return mean(squares, { axes: [1, 2, 3] });
}

/** Two linear heads on the mean of an image, [B, heads]. */
function logitsOf(scene: RivalScene, images: Tensor): Tensor {
  const pooled = mean(images, { axes: [2, 3] });
  return add(matmul(pooled, scene.weight("disc", "v"), { transB: true }), scene.weight("disc", "b"));
}

function distanceOf(sub: Settings) {
  if (only(sub, "metric", "l2", "l2_224") === "l2") return sampleDistances.l2;
  const shown = (x: Tensor) => mul(add(interpolate(x, { size: 224, mode: "bilinear" }), 1), 0.5);
  return (a: Tensor, b: Tensor) => sampleDistances.l2(shown(a), shown(b));
}

function weightOf(sub: Settings, { from, to }: { readonly from: Tensor; readonly to: Tensor }): Tensor {
  const { weight_schedule: name, weight_schedule_multiplier: power } = sub;
  const known: readonly string[] = levelWeights;
  if (name === "karras_weight") return jumpWeight("karras", from, to, SIGMA_DATA);
  if (name === "sq-t-inverse") return jumpWeight("root-level", from, to, SIGMA_DATA);
  if (name === "uniform_g") return pow(jumpWeight("length", from, to, SIGMA_DATA), power);
  if (known.includes(name)) return levelWeight(name as LevelWeight, from, SIGMA_DATA);
  throw new Unsupported(`no weight_schedule ${name}`);
}
