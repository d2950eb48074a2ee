import { addNoise, karrasSigmas, type NoiseSource, perSample } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { Denoiser, LossContext } from "../../../core/interfaces/mod.ts";
import {
  add,
  constantArray,
  div,
  equal,
  mul,
  reshape,
  stopGradient,
  sub,
  takeRows,
  where,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { DistillationOptions, NoisedSamples } from "./distillation.ts";
import { eulerTo, type PathStep } from "./pathSteps.ts";

/** Levels of each sample, [B]. */
interface Jump {
  /** One of the teacher's steps below σ; the same number as `end` where that step ends the group. */
  readonly middle: Tensor;
  /** Where the group ends, below σ; 0 is the clean sample. */
  readonly end: Tensor;
}

/** The networks of a loss of TRACT. */
interface TractRoles {
  readonly generator: Denoiser;
  readonly teacher: Denoiser;
  /** A running average of the generator. */
  readonly selfTeacher: Denoiser;
}

/**
 * Transitive closure: from every level of a group, one step of the generator leads to the group's end.
 *   x_t = x + σ·ε;   x_m = the teacher's step from σ to `middle`;   x_e = Euler's step of the self-teacher from there to `end`
 *   x̃ = (x_e·σ − x_t·end)/(σ − end), from which a single step reaches x_e;   weight · d(D(x_t; σ), sg x̃)
 * Where `middle` is `end` the teacher's step is x_e; where both are 0 that is its prediction. x [B, …] → a loss per sample, [B].
 * Gradient to the generator alone. Berthelot et al. 2023, arXiv:2303.04248, section 3.
 * @param options `step` of the teacher: Heun's for one of many steps, DDIM's for the generator of an earlier phase
 */
export function tractLosses(
  { x, eps, sigma, middle, end, condition }: NoisedSamples & Jump,
  { generator, teacher, selfTeacher }: TractRoles,
  { distance, weight, step }: DistillationOptions & { readonly step: PathStep },
): Tensor {
  const at = (values: Tensor) => perSample(values, x.shape.length);
  const xt = addNoise(x, sigma, eps);
  const said = generator.denoise(xt, sigma, condition);
  const clean = teacher.denoise(xt, sigma, condition);
  // No network knows level 0: a step there is not taken.
  const reached = where(equal(middle, 0), sigma, middle);
  const xm = step(teacher, xt, { sigma, next: reached, condition });
  const jumped = eulerTo(xm, selfTeacher.denoise(xm, reached, condition), reached, end);
  const xe = where(at(equal(middle, end)), xm, jumped);
  const across = div(sub(mul(xe, at(sigma)), mul(xt, at(end))), at(sub(sigma, end)));
  const far = distance(said, stopGradient(where(at(equal(middle, 0)), clean, across)));
  return weight ? mul(far, weight) : far;
}

/**
 * Jumps within the groups of a stage, all as likely: its numbers are `levels` T of the Karras grid above the clean sample, those of the
 * teacher `teacherSteps`, the groups `steps`, `sigmaMin`, `sigmaMax`, `rho`, and `order` of the teacher's step. Levels are [B].
 * @throws E_CONFIG for a stage without them
 */
export function drawnJumps(
  stage: LossContext["stage"],
  noise: NoiseSource,
  count: number,
): Jump & { readonly sigma: Tensor; readonly order: number } {
  const { levels, teacherSteps, steps, order, sigmaMin, sigmaMax, rho } = stage.numbers ?? {};
  if (!(levels && teacherSteps && steps))
    throw failure(
      "E_CONFIG",
      `Cannot train with tract: the stage ${stage.name} has no levels and steps, a method such as tract should give them`,
    );
  const grid = [0, ...karrasSigmas(levels, { sigmaMin, sigmaMax, rho }).reverse()];
  const table = constantArray(grid, [grid.length, 1]);
  const [semi, step] = [levels / teacherSteps, levels / steps];
  const end = mul(noise.integers(count, 0, steps), step);
  const index = sub(add(end, step), mul(noise.integers(count, 0, teacherSteps / steps), semi));
  const at = (place: Tensor) => reshape(takeRows(table, place), [count]);
  return { sigma: at(index), middle: at(sub(index, semi)), end: at(end), order };
}
