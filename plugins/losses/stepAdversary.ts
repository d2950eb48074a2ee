import { failure } from "../../core/errors.ts";
import type { Loss, LossContext } from "../../core/interfaces/mod.ts";
import { mean, sigmoid, stopGradient } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { fooling, judging } from "./shared/judgement.ts";
import { halvedLevels } from "./shared/progressive.ts";
import { ENDS, judgedSteps, type StepJudge } from "./shared/stepJudgement.ts";

const GAME = { objective: "softplus" } as const;

/** The steps of a turn, and how its critic judges them. */
function judgedTurn(owner: string, { real: { x, condition }, generator, teacher, role, noise, stage }: LossContext) {
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

/**
 * Progressive adversarial distillation, the generator's side: one of its steps should look like two of the teacher.
 *   L = mean softplus(−l(x_t, x_n)),  x_n of one Euler step of the generator from x_t = x + σ·ε
 * Levels are those of the stage, as for the loss `progressive`, and so is whether the discriminator sees x_t.
 * x [B, …] real → scalar. Gradient to the generator only. Lin et al. 2024, SDXL-Lightning, arXiv:2402.13929.
 */
export const stepGenerator = definePlugin({
  name: "step-generator",
  kind: "loss",
  about: "Makes a step of the generator look like two of the teacher to the discriminator of steps",
  options: { weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }) },
  create: ({ weight }): Loss => ({
    name: "step-generator",
    role: "generator",
    weight,
    compute(context) {
      const { made, logit } = judgedTurn("step-generator", context);
      return mean(fooling(GAME, logit(made)));
    },
  }),
});

/**
 * The discriminator's side.   L = mean [ softplus(−l(x_t, x_n of the teacher)) + softplus(l(x_t, x_n of the generator)) ]
 * x [B, …] real → scalar, 2 ln 2 where it is blind. Gradient to the critic only. Reports both probabilities.
 */
export const stepDiscriminatorLoss = definePlugin({
  name: "step-discriminator",
  kind: "loss",
  about: "Trains the discriminator of steps to tell the teacher's from the generator's",
  options: { weight: number({ default: 1, min: 0, about: "factor in the critic's total; 0 is off" }) },
  create: ({ weight }): Loss => ({
    name: "step-discriminator",
    role: "critic",
    weight,
    compute(context) {
      const { taught, made, logit } = judgedTurn("step-discriminator", context);
      const [real, fake] = [logit(taught), logit({ ...made, xt: stopGradient(made.xt) })];
      context.report?.("discriminator-on-real", mean(sigmoid(real)));
      context.report?.("discriminator-on-fake", mean(sigmoid(fake)));
      return mean(judging(GAME, real, fake));
    },
  }),
});
