/** Distribution matching, for the losses that differ in how much each sample counts. */
import type { Resolver } from "../../../core/di/mod.ts";
import { addNoise, type NoiseSource, perSample } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import {
  type Denoiser,
  type Draw,
  type LossContext,
  type NoiseProcess,
  type Noisy,
  PROCESS,
} from "../../../core/interfaces/mod.ts";
import { abs, add, div, mean, mul, nanToNum, sqrt, square, stopGradient, sub } from "../../../core/ops/mod.ts";
import { choice, number, type OptionsOf } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { NoisedSamples } from "./distillation.ts";
import { guidedAsLearnt } from "./guidance.ts";
import { diffuse, gridOf, levelOptions } from "./levels.ts";
import { rungTeller } from "./rung.ts";

/** Which levels are drawn. */
export const matchingLevelOptions = {
  ...levelOptions,
  minStep: number({
    default: 0.02,
    min: 0,
    max: 1,
    about: "lowest level used, as a fraction of the grid",
  }),
  maxStep: number({
    default: 0.98,
    min: 0,
    max: 1,
    about: "highest level used, as a fraction of the grid",
  }),
};

/** How large the gradient is. */
const sizeOptions = {
  normalise: choice(["sample", "noisy", "batch", "none"], {
    default: "sample",
    about:
      "divides the gradient by mean |x − D_real| of each sample, with x in noise as a flow has it, of the batch, or not at all",
  }),
  epsilon: number({
    default: 0,
    min: 0,
    about: "added to that mean; 0 in the official code, 1e-6 in FastGen",
  }),
};

/** Options of levels and size. */
export const matchingOptions = { ...matchingLevelOptions, ...sizeOptions };

/** What two denoisers make of the same noisy samples, [B, …]. */
export interface Opinions {
  /** D_real, of the teacher. */
  readonly real: Tensor;
  /** D_fake, of the critic. */
  readonly fake: Tensor;
}

/**
 * Distribution matching as a loss: g = h·(D_fake − D_real) / (mean|x − D_real| + epsilon), a mean per sample, 0/0 counts as 0;
 * L = ½ mean (x − sg[x − g])², so that ∂L/∂x = g / numel. x [B, …] → scalar.
 * Yin et al. 2024, DMD2, arXiv:2405.14867; the mean per sample is from DMD, arXiv:2311.18828, without its α_t.
 * @param noisy x_t and σ for `normalise: "noisy"`, where x_t/(1 + σ) takes the place of x in the mean, as in DP-DMD
 * @param h how much each sample counts, [B]; 1 where absent. It gets no gradient
 */
export function matchingLoss(
  x: Tensor,
  { real, fake }: Opinions,
  { normalise, epsilon }: OptionsOf<typeof sizeOptions>,
  { noisy, h }: { readonly noisy?: Noisy; readonly h?: Tensor } = {},
): Tensor {
  const fixed = stopGradient(x);
  const over = normalise === "batch" ? [0, ...overSample(x)] : overSample(x);
  const from = normalise === "noisy" && noisy ? div(noisy.xt, perSample(add(noisy.sigma, 1), x.shape.length)) : fixed;
  const residual = mean(abs(sub(from, real)), { axes: over, keepDims: true });
  const scale = epsilon > 0 ? add(residual, epsilon) : residual;
  const plain = nanToNum(normalise === "none" ? sub(fake, real) : div(sub(fake, real), scale));
  const g = h ? mul(plain, perSample(h, x.shape.length)) : plain;
  return mul(0.5, mean(square(sub(x, stopGradient(sub(fixed, g))))));
}

/**
 * Diff-Instruct's terms: sg[(D_fake − D_real)(x + σ·ε; σ)]·x of every element, whose gradient is the difference itself.
 * x [B, …] → [B, …]. Luo et al. 2023, arXiv:2305.18455.
 */
export function differenceTerms(
  { x, sigma, eps, condition }: NoisedSamples,
  { teacher, critic }: { readonly teacher: Denoiser; readonly critic: Denoiser },
): Tensor {
  const xt = addNoise(stopGradient(x), sigma, eps);
  const difference = sub(critic.denoise(xt, sigma, condition), teacher.denoise(xt, sigma, condition));
  return mul(stopGradient(difference), x);
}

/**
 * Noise at levels drawn for each sample.
 * @param owner the loss's name, for messages
 * @throws E_OPTION when the lowest level is above the highest
 */
export function matchingLevels(
  owner: string,
  { minStep, maxStep, ...levels }: OptionsOf<typeof matchingLevelOptions>,
  process: NoiseProcess,
): (x: Tensor, noise: NoiseSource) => Noisy & Draw {
  if (minStep > maxStep)
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: minStep is ${minStep} and maxStep ${maxStep}, minStep should be the lower`,
    );
  const grid = gridOf(levels, process);
  const low = Math.min(Math.floor(minStep * grid.length), grid.length - 1);
  const high = Math.max(low + 1, Math.min(Math.floor(maxStep * grid.length) + 1, grid.length));
  return (x, noise) => diffuse(x, noise, grid, low, high);
}

/**
 * The loss of a turn: levels and noise are drawn, and left for the losses after it. Reports the critic's lag.
 * The teacher is guided by the scales that the generator learns, where it does; the critic is told them, and which step images are from.
 * @returns its `compute`, which may weigh the noisy samples: h [B] of `matchingLoss`
 * @throws E_OPTION as `matchingLevels` and `guidedAsLearnt` do
 */
export function matching(
  owner: string,
  { normalise, epsilon, ...levels }: OptionsOf<typeof matchingOptions>,
  container: Resolver,
): (context: LossContext, weigh?: (noisy: Noisy) => Tensor) => Tensor {
  const drawn = matchingLevels(owner, levels, container.get(PROCESS));
  const [told, guided] = [rungTeller(container), guidedAsLearnt(owner, container)];
  return ({ generated: { x, condition }, teacher, critic, noise, shared, report }, weigh) => {
    const fixed = stopGradient(x);
    const { xt, sigma, eps } = drawn(fixed, noise);
    shared.draw ??= { sigma, eps };
    const real = guided(teacher).denoise(xt, sigma, condition);
    const fake = critic.denoise(xt, sigma, told(condition, x));
    report?.("critic-lag", lagOf(sub(fake, fixed)));
    const noisy = { xt, sigma };
    return matchingLoss(x, { real, fake }, { normalise, epsilon }, { noisy, h: weigh?.(noisy) });
  };
}

/** √mean (mean_B r/rms(r))²: how much the residuals [B, …] of the samples have in common. */
export function lagOf(residual: Tensor): Tensor {
  const rms = sqrt(mean(square(residual), { axes: overSample(residual), keepDims: true }));
  return sqrt(mean(square(mean(nanToNum(div(residual, rms)), { axes: [0] }))));
}

/** All axes but the batch's. */
const overSample = ({ shape }: Tensor): number[] => shape.map((_, axis) => axis).slice(1);
