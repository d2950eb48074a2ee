import { perSample } from "../../../core/diffusion/mod.ts";
import type { Condition } from "../../../core/interfaces/mod.ts";
import { add, mean, mul, sub, where } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import {
  alongPath,
  type Derivative,
  type ErrorWeight,
  type FlowPoint,
  type MeanVelocity,
  meanFlowLosses,
  mixedVelocity,
} from "../../../plugins/losses/shared/meanFlow.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { only, type Settings } from "../settings.ts";

/** The last time of FastGen's rectified flow. */
const LATEST = 0.999;

/** MeanFlow of FastGen: velocity, its derivative along the path, loss and gradients. */
export const meanFlowKind: Kind = {
  name: "MeanFlow",
  matches: ({ file }) => /^fastgen_meanflow/.test(file),
  run: (job) => job.each((sub) => runLoss(job, sub)),
};

async function runLoss(job: Job, settings: Settings): Promise<void> {
  const scene = new RivalScene(job, settings.id);
  const [x, z] = [scene.tensor("in.real"), scene.tensor("rand.z")];
  const times = timesOf(scene, settings);
  const [time, end] = [scene.perSample("t", times.t), scene.perSample("r", times.r)];
  scene.output("t", times.t);
  scene.output("r", times.r);
  const spread = (values: Tensor) => perSample(values, x.shape.length);
  const xt = add(mul(spread(sub(1, time)), x), mul(spread(time), z));
  scene.output("x_t", xt);
  const student = scene.network("student");
  const u: MeanVelocity = (at, t, r, condition) => student(at, t, { ...condition, end: r });
  const [asked, without] = [scene.condition("in.cond"), scene.condition("in.neg")];
  const point: FlowPoint = { xt, time, end, condition: asked };
  const { v, condition } = velocityOf(scene, settings, { plain: sub(z, x), u, point, without, times: times.t });
  scene.output("v", v);
  const step = settings.jvp_finite_diff_eps;
  const derivative: Derivative = settings.use_jvp_finite_diff ? { by: "differences", step } : { by: "jvp" };
  const said = alongPath(u, { ...point, condition }, v, { derivative, latest: LATEST });
  scene.output("u", said.u);
  scene.output("dudt", said.dudt);
  const { losses, towards, weights } = meanFlowLosses(said, v, point, {
    loss: only(settings, "loss_type", "l2", "opt_grad") === "opt_grad" ? "opt-grad" : "l2",
    weight: errorWeight(settings),
    warmth: warmthOf(settings),
    perElement: settings.tangent_spatial_invariance,
    latest: LATEST,
  });
  const total = mean(losses);
  scene.output("mf_loss", losses);
  scene.output("tangent", towards);
  scene.output("weight", weights);
  scene.output("total_loss", total);
  scene.gradients(total, "student");
  await scene.check(job);
}

/** t and r in [0, 0.999]: logit-normal, sorted, and r = t for as many of the first samples as draws of `fm` say. */
function timesOf(scene: RivalScene, settings: Settings): Record<"t" | "r", number[]> {
  const { r_cfg: own, r_sample_ratio: ratio } = settings;
  const draws = (name: string, { p_mean: mean, p_std: deviation }: Settings) =>
    Array.from(scene.numbers(`rand.${name}`), (each) => LATEST / (1 + Math.exp(-(each * deviation + mean))));
  const [first, second] = [draws("t", settings), draws("r", own ?? settings)];
  const still = scene.numbers("rand.fm").filter((each) => each >= ratio).length;
  const t = first.map((each, i) => Math.max(each, second[i]));
  const r = first.map((each, i) => (i < still ? t[i] : Math.min(each, second[i])));
  return { t, r };
}

/** What the flow's velocity is taken to be, and which condition each sample is trained with. */
interface VelocityParts {
  readonly plain: Tensor;
  readonly u: MeanVelocity;
  readonly point: FlowPoint;
  readonly without: Condition;
  readonly times: readonly number[];
}

function velocityOf(
  scene: RivalScene,
  settings: Settings,
  { plain, u, point, without, times }: VelocityParts,
): { readonly v: Tensor; readonly condition: Condition } {
  const { guidance_scale: scale, guidance_mixture_ratio: mixture, cond_dropout_prob: dropped } = settings;
  const { guidance_t_start: from, guidance_t_end: to } = settings;
  const { xt, time, condition } = point;
  if (settings.use_cd) {
    if (dropped !== null || mixture !== null) throw new Unsupported("no dropped conditions or mixture with a teacher");
    const teacher = scene.network("teacher");
    const flow = (said: Condition) => teacher(xt, time, said);
    const asked = flow(condition);
    const v = scale === null ? asked : add(flow(without), mul(sub(asked, flow(without)), scale));
    return { v, condition };
  }
  // Without a share of dropped conditions theirs makes a mixture, and uses the plain velocity.
  if (dropped === null) return { v: plain, condition };
  const inside = times.map((t) => t >= from && t <= to);
  const share = (name: string, within: number, outside: number) =>
    scene.perSample(
      name,
      inside.map((isInside) => (isInside ? within : outside)),
    );
  const mixed =
    scale === null && mixture === null
      ? plain
      : mixedVelocity(plain, u, point, without, {
          scale: share("scale", scale ?? 1, 1),
          ...(mixture !== null && { conditional: share("conditional", mixture, 0) }),
        });
  const count = scene.numbers("rand.drop").filter((each) => each < dropped).length;
  const isDropped = scene.perSample(
    "dropped",
    times.map((_, i) => (i < count ? 1 : 0)),
  );
  const rows = perSample(isDropped, 2);
  return {
    v: where(perSample(isDropped, xt.shape.length), plain, mixed),
    condition: { classes: where(rows, without.classes!, condition.classes!) },
  };
}

function errorWeight({ norm_method: method, norm_const: constant }: Settings): ErrorWeight {
  const [kind, ...numbers] = (method as string).split("_");
  const [first, second] = numbers.map(Number);
  if (kind === "poly" && numbers.length === 1) return { kind: "power", power: first, constant };
  if (kind === "exp" && numbers.length === 2) return { kind: "exponential", factor: first, rate: second, constant };
  throw new Unsupported(`no norm_method ${method}`);
}

const warmthOf = ({ tangent_warmup_steps: steps, iteration }: Settings): number =>
  steps > 0 ? Math.min(1, iteration / steps) : 1;
