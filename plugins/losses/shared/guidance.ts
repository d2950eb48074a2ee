/** Classifier-free guidance by a scale that each sample has of its own: the entry `guidance` of its condition. */
import { perSample, withoutCondition } from "../../../core/diffusion/mod.ts";
import type { Condition, ConditionShape, Denoiser } from "../../../core/interfaces/mod.ts";
import { add, mul, sub } from "../../../core/ops/mod.ts";

/** The condition as one who knows no scale of guidance sees it. */
export function withoutGuidance(condition: Condition): Condition {
  const { guidance: _, ...others } = condition;
  return others;
}

/**
 * A teacher guided by the scales in `guidance`, w [B]:  D_c + w·(D_c − D_∅), so that 0 is the teacher itself. Two calls, neither
 * of which is told w. Ho & Salimans 2022, arXiv:2207.12598, Eq. 6.
 */
export const guidedByScale = ({ denoise }: Denoiser, shape: ConditionShape): Denoiser => ({
  denoise(x, sigma, { guidance, ...condition }) {
    const asked = denoise(x, sigma, condition);
    if (!guidance) return asked;
    const without = denoise(x, sigma, withoutCondition(condition, shape));
    return add(asked, mul(perSample(guidance, x.shape.length), sub(asked, without)));
  },
});
