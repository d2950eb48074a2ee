import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { sigmaGrid } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { add, constantArray, mean, mul, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import {
  type Pair,
  type PairWeight,
  pairBelow,
  pairDistance,
  pairSides,
  pairWeight,
  truncatedPair,
} from "../../../plugins/losses/shared/easyConsistency.ts";
import {
  type Distribution,
  normalDistribution,
  quantile,
  studentDistribution,
} from "../../../plugins/losses/shared/quantiles.ts";
import { evaluateOn, Feed } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { ignore, type Settings } from "../settings.ts";

/** The levels of FastGen's EDM schedule. */
const SCHEDULE = { sigmaMin: 0.002, sigmaMax: 80 };
const COUNT = 1000;
const SIGMA_DATA = 0.5;

/** ECT as FastGen has it: consistency training, or distillation along Euler's steps of a teacher. */
export const easyConsistencyKind: Kind = {
  name: "easy consistency",
  matches: ({ file }) => /^fastgen_cm/.test(file),
  run: (job) => job.each((sub) => runPairs(job, sub)),
};

/** TCM: the same above a level, over a model of a first stage that holds below it. */
export const truncatedConsistencyKind: Kind = {
  name: "truncated consistency",
  matches: ({ file }) => /^fastgen_tcm/.test(file),
  run: (job) => job.each((sub) => runTruncated(job, sub)),
};

async function runPairs(job: Job, sub: Settings): Promise<void> {
  const scene = new RivalScene(job, sub.id);
  const floor = Math.max(sub.min_t, sub.min_r);
  const drawn = fastgenLevels(scene, sub.sample_t, sub.min_t);
  const pair = await pairOf(scene, drawn, { ratio: sub.ratio, floor, quantised: sub.quantize });
  const student = scene.edm("student", SIGMA_DATA);
  const samples = {
    x: scene.tensor("in.real"),
    eps: scene.tensor("rand.eps"),
    condition: scene.condition("in.cond"),
    ...pair,
  };
  const { said, held, lower } = pairSides(samples, {
    generator: student,
    target: student,
    ...(sub.use_cd && { teacher: guidedTeacher(scene, sub.guidance_scale) }),
  });
  const distances = pairDistance(said, held, { huberC: sub.huber_const, squared: sub.use_squared_l2 });
  if (!sub.use_cd) ignore(sub, "guidance_scale");
  const losses = mul(distances, pairWeight(weightOf(sub.weighting), pair, SIGMA_DATA));
  const loss = mean(losses);
  scene.output("y_r", lower);
  scene.output("D_yt", said);
  scene.output("D_yr", held);
  scene.output("unweighted", distances);
  scene.output("cm_loss", losses);
  scene.output("total_loss", loss);
  scene.gradients(loss, "student");
  await scene.check(job);
}

async function runTruncated(job: Job, sub: Settings): Promise<void> {
  const scene = new RivalScene(job, sub.id);
  const { transition_t: border, boundary_prob: share, w_boundary: weight } = sub;
  const drawn = fastgenLevels(scene, sub.sample_t, sub.sample_t.min_t);
  const chosen = scene.indices("rand.perm").slice(0, Math.floor(drawn.length * share));
  const levels = drawn.map((level, i) => (chosen.includes(i) ? border + 1e-8 : level));
  const pair = await pairOf(scene, levels, { ratio: sub.ratio, floor: SCHEDULE.sigmaMin, quantised: false });
  const roles = truncatedPair(scene.edm("student", SIGMA_DATA), scene.edm("stage1", SIGMA_DATA), border);
  const samples = {
    x: scene.tensor("in.real"),
    eps: scene.tensor("rand.eps"),
    condition: scene.condition("in.cond"),
    ...pair,
  };
  const { said, held } = pairSides(samples, roles);
  const distances = pairDistance(said, held, { huberC: sub.huber_const });
  const losses = mul(distances, pairWeight(weightOf(sub.weighting), pair, SIGMA_DATA));
  const isChosen = (wanted: boolean) =>
    constantArray(
      levels.map((_, i) => Number(chosen.includes(i) === wanted)),
      [levels.length],
    );
  const over = (which: Tensor, count: number) => mul(mean(mul(losses, which)), levels.length / count);
  const [inner, boundary] = [over(isChosen(false), levels.length - chosen.length), over(isChosen(true), chosen.length)];
  const total = add(inner, mul(boundary, weight));
  scene.output("D_yt", said);
  scene.output("D_yr", held);
  scene.output("cm_loss_per_sample", losses);
  scene.output("cm_loss", inner);
  scene.output("loss_boundary", boundary);
  scene.output("total_loss", total);
  scene.gradients(total, "student");
  await scene.check(job);
}

/** Levels of FastGen's EDM schedule, of the draws `rand.u`. */
export function fastgenLevels(scene: RivalScene, settings: Settings, lowest: number): number[] {
  const { time_dist_type: kind, train_p_mean: mean, train_p_std: deviation } = settings;
  const low = Math.max(settings.min_t ?? lowest, 1e-6);
  const draws = [...scene.numbers("rand.u")];
  if (kind === "uniform") return draws.map((u) => u * (SCHEDULE.sigmaMax - low) + low);
  const bounds = [low, SCHEDULE.sigmaMax].map(Math.log) as [number, number];
  if (kind === "lognormal") {
    const normal = normalDistribution(mean, deviation);
    const [from, to] = bounds.map((bound) => normal.cumulative(bound));
    return draws.map((u) => Math.exp(quantile(normal, u * (to - from) + from, ...bounds)));
  }
  if (kind !== "log_t") throw new Unsupported(`no levels ${kind}`);
  // Their draw lies between the values of the bounds already.
  const student = studentDistribution(settings.log_t_df, mean, deviation);
  return draws.map((u) => between(student, u, bounds, Math.max(settings.min_t, SCHEDULE.sigmaMin)));
}

const between = (distribution: Distribution, u: number, [low, high]: [number, number], least: number): number =>
  Math.min(Math.max(Math.exp(quantile(distribution, u, low - 20, high + 20)), least), SCHEDULE.sigmaMax);

/** The pair of every level as the product makes it, in double precision as theirs; on their table of levels where asked. */
async function pairOf(
  scene: RivalScene,
  levels: readonly number[],
  { ratio, floor, quantised }: { readonly ratio: number; readonly floor: number; readonly quantised: boolean },
): Promise<Pair> {
  const feed = new Feed();
  Object.assign(feed.values, { level: Float64Array.from(levels) });
  const oracle = new ReferenceBackend("f64");
  const { sigma, next, gap } = await evaluateOn(
    oracle,
    { ...pairBelow(feed.tensor("level", [levels.length], levels), { ratio, floor }) },
    feed,
  );
  const grid = sigmaGrid(COUNT, SCHEDULE);
  const nearest = (value: number) =>
    grid.reduce((best, each) => (Math.abs(each - value) < Math.abs(best - value) ? each : best));
  const [t, r] = [sigma, next].map((values) => Array.from(values, (value) => (quantised ? nearest(value) : value)));
  scene.output("t", t);
  scene.output("r", r);
  return {
    sigma: scene.perSample("t", t),
    next: scene.perSample("r", r),
    gap: scene.perSample("gap", quantised ? t.map((value, i) => value - r[i]) : [...gap]),
  };
}

/** Theirs is flow + (s − 1)(flow − flow_neg), which is the same mixture of predictions. */
function guidedTeacher(scene: RivalScene, scale: number | null): Denoiser {
  const { denoise } = scene.edm("teacher", SIGMA_DATA);
  if (scale === null) return { denoise };
  const away = scene.condition("in.neg");
  return {
    denoise(x, sigma, condition) {
      const [asked, without] = [denoise(x, sigma, condition), denoise(x, sigma, away)];
      return add(asked, mul(sub(asked, without), scale - 1));
    },
  };
}

const WEIGHTS: Readonly<Record<string, PairWeight>> = {
  default: "gap",
  sqrt: "root-gap",
  c_out_sq: "output",
  sigma_sq: "sigma",
  one: "uniform",
};

function weightOf(name: string): PairWeight {
  if (!Object.hasOwn(WEIGHTS, name)) throw new Unsupported(`no weighting ${name}`);
  return WEIGHTS[name];
}
