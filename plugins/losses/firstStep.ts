import { failure } from "../../core/errors.ts";
import { GENERATOR, type Loss, SAMPLER } from "../../core/interfaces/mod.ts";
import { constant, mean, mul, stopGradient } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { anchored } from "./shared/rollout.ts";
import { teacherPath } from "./shared/teacherPath.ts";

/**
 * The first step of a few-step generator held to the teacher's path, which keeps the teacher's diversity whatever the later steps
 * learn.
 *   z ~ N(0, I);   x_a the teacher's state at σ_a after `anchor` steps of the run's sampler, from s_0·z at σ_0
 *   x̃ = (x_a − (σ_a/σ_0)·s_0·z)/(1 − σ_a/σ_0), where one straight step from σ_0 to σ_a would have to aim
 *   L = (1 + 1/σ_0)² mean (D_G(s_0·z; σ_0) − sg x̃)²: the square error of the velocity in time σ/(1 + σ), as the official code has it
 * With all steps of the sampler x̃ is the teacher's sample, and L that of knowledge distillation. → scalar. Gradient to the generator
 * only. DP-DMD: Multimedia-Analytics-Laboratory/dpdmd.
 */
export const firstStep = definePlugin({
  name: "first-step",
  kind: "loss",
  about: "Holds a generator's first step to the teacher's path, so that it keeps the teacher's diversity",
  options: {
    weight: number({ default: 0.05, min: 0, about: "factor in the generator's total; 0 is off" }),
    anchor: number({
      default: 6,
      min: 1,
      integer: true,
      about: "steps of the run's sampler after which the teacher's state is taken; all of them is its sample",
    }),
  },
  create({ weight, anchor }, container): Loss {
    const { sigmas, startScale = sigmas[0] } = container.get(GENERATOR);
    const sampler = container.get(SAMPLER);
    const [highest] = sigmas;
    const refuse = (why: string, fix: string) => failure("E_OPTION", `Cannot configure first-step: ${why}`, { fix });
    if (anchor > sampler.steps.length)
      throw refuse(
        `anchor is ${anchor} and the sampler has ${sampler.steps.length} steps, it should not have fewer`,
        `set losses.first-step.anchor=${sampler.steps.length} for its sample, or raise sampler.steps`,
      );
    if (Math.abs(sampler.sigmaMax / highest - 1) > 1e-3)
      throw refuse(
        `the sampler begins at level ${sampler.sigmaMax} and the generator at ${highest}, both should begin at one`,
        `set sampler.sigmaMax=${highest}, or the first of generator.sigmas`,
      );
    return {
      name: "first-step",
      role: "generator",
      weight,
      compute({ generated: { x, condition }, generator, teacher, noise }) {
        const z = noise.normalLike(x);
        const start = mul(z, startScale);
        const { states, y } = teacherPath("first-step", sampler, teacher, z, condition);
        const end = states[anchor] ?? { x: y, sigma: 0 };
        const aim = stopGradient(anchored(start, end, highest));
        const said = generator.denoise(start, constant(highest, "f32", [x.shape[0]]), condition);
        return mul(mean(sampleDistances.l2(said, aim)), (1 + 1 / highest) ** 2);
      },
    };
  },
});
