import type { Loss } from "../../core/interfaces/mod.ts";
import { mean } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { fooling } from "./shared/judgement.ts";
import { judgedTurn } from "./shared/stepJudgement.ts";

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
    game: { name: "losses.step-discriminator", side: "fools" },
    compute(context) {
      const { made, logit } = judgedTurn("step-generator", context);
      return mean(fooling({ objective: "softplus" }, logit(made)));
    },
  }),
});
