import { addNoise } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { Denoiser, LossContext, Noisy, StepJudge } from "../../../core/interfaces/mod.ts";
import { stopGradient } from "../../../core/ops/mod.ts";
import type { NoisedSamples } from "./distillation.ts";
import { eulerTo } from "./pathSteps.ts";
import { type HalvedLevels, halvedLevels } from "./progressive.ts";

/** The number of a stage that says whether the discriminator sees both ends of a step, 2, or the last alone, 1. */
export const ENDS = "ends";

/** Where a step begins, and where the teacher and the generator end it: all at the level `next`, [B, …]. */
export interface Steps {
  readonly from: Noisy;
  /** Of the teacher's two Euler steps, without a gradient. */
  readonly taught: Noisy;
  /** Of the generator's one. */
  readonly made: Noisy;
}

/**
 * A step from real samples in noise:  x_t = x + σ·ε → x_n, in two Euler steps of the teacher over `middle` or in one of the generator.
 * Lin, Wang & Yang 2024, SDXL-Lightning, arXiv:2402.13929, section 3.
 */
export function judgedSteps(
  { x, eps, sigma, middle, next, condition }: NoisedSamples & HalvedLevels,
  { generator, teacher }: Readonly<Record<"generator" | "teacher", Denoiser>>,
): Steps {
  const xt = addNoise(x, sigma, eps);
  const xm = eulerTo(xt, teacher.denoise(xt, sigma, condition), sigma, middle);
  const taught = stopGradient(eulerTo(xm, teacher.denoise(xm, middle, condition), middle, next));
  const made = eulerTo(xt, generator.denoise(xt, sigma, condition), sigma, next);
  return { from: { xt, sigma }, taught: { xt: taught, sigma: next }, made: { xt: made, sigma: next } };
}

/**
 * The steps of a turn at levels of its stage, and how its critic judges their ends.
 * @throws E_CONFIG for a critic that judges images
 */
export function judgedTurn(
  owner: string,
  { real: { x, condition }, generator, teacher, role, noise, stage }: LossContext,
) {
  const levels = halvedLevels(owner, stage, noise, x.shape[0]);
  const steps = judgedSteps({ x, eps: noise.normalLike(x), condition, ...levels }, { generator, teacher });
  const judge = role<Partial<StepJudge>>("critic");
  const from = stage.numbers?.[ENDS] === 1 ? undefined : steps.from;
  const logit = (to: typeof steps.made) => {
    if (judge.judgeStep) return judge.judgeStep(from, to, condition);
    throw failure("E_CONFIG", `Cannot train with ${owner}: the critic judges images, it should judge steps`, {
      fix: "set critic.use=step-discriminator",
    });
  };
  return { ...steps, logit };
}
