import type { Condition } from "../../../core/interfaces/mod.ts";
import { errorFunction } from "../../../core/ops/errorFunction.ts";
import { add, mean, mul, reshape, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import {
  angleOf,
  type CirclePoint,
  scmLosses,
  tangentByDifferences,
  tangentByJvp,
  trigNetwork,
} from "../../../plugins/losses/shared/trigFlow.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { ignore, type Settings } from "../settings.ts";

const SIGMA_DATA = 0.5;

/** sCM of FastGen: network of the circle, tangent, loss and gradients. */
export const scmKind: Kind = {
  name: "sCM",
  matches: ({ file }) => /^fastgen_scm/.test(file),
  run: (job) => job.each((sub) => runLoss(job, sub)),
};

async function runLoss(job: Job, settings: Settings): Promise<void> {
  const scene = new RivalScene(job, settings.id);
  const [x, unit] = [scene.tensor("in.real"), scene.tensor("rand.z")];
  const z = mul(unit, SIGMA_DATA);
  const levels = levelsOf(scene, settings.sample_t);
  const angles = levels.map((each) => Math.atan2(each, SIGMA_DATA));
  scene.output("sigma", levels);
  scene.output("t_hat", angles);
  const sigma = scene.perSample("sigma", levels);
  const path = (level: Tensor) => {
    const { cos, sin } = angleOf(level, SIGMA_DATA, x.shape.length);
    return add(mul(cos, x), mul(sin, z));
  };
  const xHat = path(sigma);
  scene.output("x_t_hat", xHat);
  const condition = scene.condition("in.cond");
  const velocity = velocityOf(scene, settings, { x, z, xHat, sigma, condition });
  scene.output("dxt_dt", velocity);
  const F = trigNetwork(scene.edm("student", SIGMA_DATA), SIGMA_DATA);
  const point: CirclePoint = { xHat, sigma, velocity, condition };
  ignore(settings, "jvp_finite_diff_eps"); // of the differences alone
  const said = settings.use_jvp_finite_diff
    ? tangentByDifferences(F, point, path, neighboursOf(scene, settings, angles))
    : tangentByJvp(F, point, SIGMA_DATA);
  scene.output("F", said.F);
  scene.output("F_jvp", said.J);
  const logVariance = scene.logVariance("student")(sigma);
  scene.output("logvar", reshape(logVariance, [-1, 1]));
  const { iteration, tangent_warmup_steps: warmUp, tangent_warmup_const: constant } = settings;
  const { losses, squares } = scmLosses(said, point, logVariance, {
    sigmaData: SIGMA_DATA,
    warmth: warmUp > 0 ? Math.min(1, iteration / warmUp) : 1,
    constant,
    normPerElement: settings.g_norm_spatial_invariance,
    squaresPerElement: settings.divide_x_0_spatial_dim,
    prior: settings.prior_weighting_enabled,
  });
  const total = mean(losses);
  scene.output("scm_loss", losses);
  scene.output("unweighted", squares);
  scene.output("total_loss", total);
  scene.gradients(total, "student");
  await scene.check(job);
}

/** Levels from uniform draws: ln σ normal between those of FastGen's first and last one. */
function levelsOf(
  scene: RivalScene,
  { time_dist_type: kind, train_p_mean: mean, train_p_std: deviation }: Settings,
): number[] {
  if (kind !== "lognormal") throw new Unsupported(`no time_dist_type ${kind}`);
  const [low, high] = [0.002, 80].map((level) => normalShare((Math.log(level) - mean) / deviation));
  return Array.from(scene.numbers("rand.u"), (u) =>
    Math.exp(mean + deviation * normalQuantile(low + u * (high - low))),
  );
}

/** Φ(x), and its inverse by bisection. */
const normalShare = (x: number): number => (1 + errorFunction(x / Math.SQRT2)) / 2;
function normalQuantile(share: number): number {
  let [low, high] = [-9, 9];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

type Ends = Readonly<Record<"x" | "z" | "xHat" | "sigma", Tensor>> & { readonly condition: Condition };

/** How the path moves between sample and noise, or as the teacher says. */
function velocityOf(scene: RivalScene, settings: Settings, { x, z, xHat, sigma, condition }: Ends): Tensor {
  const { use_cd: distils, guidance_scale: scale } = settings;
  if (!distils) {
    const { cos, sin } = angleOf(sigma, SIGMA_DATA, x.shape.length);
    return sub(mul(cos, z), mul(sin, x));
  }
  const teacher = trigNetwork(scene.edm("teacher", SIGMA_DATA), SIGMA_DATA);
  const flow = (said: Condition) => mul(teacher(xHat, sigma, said), SIGMA_DATA);
  const asked = flow(condition);
  if (scale === null) return asked;
  return add(asked, mul(sub(asked, flow(scene.condition("in.neg"))), scale - 1));
}

/** Levels of the angles θ ± e, e = max(eps·θ, 10⁻⁶). */
function neighboursOf(scene: RivalScene, { jvp_finite_diff_eps: eps }: Settings, angles: readonly number[]) {
  const steps = angles.map((angle) => Math.max(eps * Math.abs(angle), 1e-6));
  const at = (name: string, side: number) =>
    scene.perSample(
      name,
      angles.map((angle, i) => SIGMA_DATA * Math.tan(angle + side * steps[i])),
    );
  const rates = angles.map((angle, i) => (Math.cos(angle) * Math.sin(angle)) / (2 * steps[i]));
  return { ahead: at("ahead", 1), behind: at("behind", -1), rate: scene.perSample("rate", rates) };
}
