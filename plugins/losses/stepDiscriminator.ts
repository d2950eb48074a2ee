import type { Loss } from "../../core/interfaces/mod.ts";
import { mean, sigmoid, stopGradient } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { judging } from "./shared/judgement.ts";
import { judgedTurn } from "./shared/stepJudgement.ts";

/**
 * Progressive adversarial distillation, the discriminator's side.
 *   L = mean [ softplus(−l(x_t, x_n of the teacher)) + softplus(l(x_t, x_n of the generator)) ]
 * x [B, …] real → scalar, 2 ln 2 where it is blind. Gradient to the critic only. Reports both probabilities.
 * Lin et al. 2024, SDXL-Lightning, arXiv:2402.13929.
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
    game: { name: "losses.step-discriminator", side: "judges" },
    compute(context) {
      const { taught, made, logit } = judgedTurn("step-discriminator", context);
      const [real, fake] = [logit(taught), logit({ ...made, xt: stopGradient(made.xt) })];
      context.report?.("discriminator-on-real", mean(sigmoid(real)));
      context.report?.("discriminator-on-fake", mean(sigmoid(fake)));
      return mean(judging({ objective: "softplus" }, real, fake));
    },
  }),
});
