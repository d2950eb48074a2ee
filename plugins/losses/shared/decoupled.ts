/** The two terms of DMD's gradient with guidance, apart: one that guides, one that matches distributions. */
import { abs, add, div, maximum, mean, mul, nanToNum, square, stopGradient, sub } from "../../../core/ops/mod.ts";
import { number } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** How the length of an effect is found: a mean of its sample, enlarged and held above a floor. */
export interface EffectSize {
  /** Added to the mean; 1e-8 in the code of Decoupled DMD. */
  readonly epsilon: number;
  /** The least divisor; 0.1 there. */
  readonly floor: number;
}

/** The same as options of a loss. */
export const effectSizeOptions = {
  epsilon: number({ default: 1e-8, min: 0, about: "added to the mean distance that divides the effect" }),
  floor: number({ default: 0.1, min: 0, about: "the least that the effect is divided by" }),
};

/** Where a term pulls samples, [B, …], and what it was divided by, [B, 1, …]. */
export interface Effect {
  readonly effect: Tensor;
  readonly size: Tensor;
}

const overSample = ({ shape }: Tensor): number[] => shape.map((_, axis) => axis).slice(1);

/** direction / max(mean|to − from| + epsilon, floor), a mean per sample; 0/0 counts as 0. All [B, …]. */
function effectOf(direction: Tensor, from: Tensor, to: Tensor, { epsilon, floor }: EffectSize): Effect {
  const gap = mean(abs(sub(to, from)), { axes: overSample(to), keepDims: true });
  const size = maximum(add(gap, epsilon), floor);
  return { effect: nanToNum(div(direction, size)), size };
}

/**
 * Guidance augmentation: w·(D_c − D_∅) / max(mean|D_c − x| + epsilon, floor). Images [B, …]; `scale` is w itself, where guidance of a
 * prediction goes w − 1 beyond it: so the official code has it. Decoupled DMD: byliutao/cdm, compute_cfg_loss.
 */
export const guidanceEffect = (
  x: Tensor,
  { asked, without }: { readonly asked: Tensor; readonly without: Tensor },
  scale: number,
  size: EffectSize,
): Effect => effectOf(mul(sub(asked, without), scale), x, asked, size);

/**
 * Distribution matching: (D_real − D_fake) / max(mean|D_real − from| + epsilon, floor). Images [B, …]; `from` is the sample in DMD2
 * and Decoupled DMD, and the noisy sample of a flow in DP-DMD.
 */
export const matchingEffect = (
  from: Tensor,
  { real, fake }: { readonly real: Tensor; readonly fake: Tensor },
  size: EffectSize,
): Effect => effectOf(sub(real, fake), from, real, size);

/** mean (x − sg[x + effect])² of each sample, [B], so that the gradient of their mean is −2·effect/numel. */
export const movedLosses = (x: Tensor, { effect }: Effect): Tensor =>
  mean(square(sub(x, stopGradient(add(x, effect)))), { axes: overSample(x) });
