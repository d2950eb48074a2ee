/** Classifier-free guidance by a scale that each sample has of its own: the entry `guidance` of its condition. */
import { checkGuidable, type NoiseSource, perSample, withoutCondition } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { ConditionShape, DataShape, Denoiser, Generator, Network } from "../../../core/interfaces/mod.ts";
import { add, constant, mul, sub } from "../../../core/ops/mod.ts";
import { number, type OptionsOf } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/**
 * A teacher guided by the scales in `guidance`, w [B]:  D_c + (w − 1)(D_c − D_∅), so that 1 is the teacher itself. Two calls, neither
 * of which is told w. Ho & Salimans 2022, arXiv:2207.12598, Eq. 6, whose w is ours less 1.
 */
export const guidedByScale = ({ denoise }: Denoiser, shape: ConditionShape): Denoiser => ({
  denoise(x, sigma, { guidance, ...condition }) {
    const asked = denoise(x, sigma, condition);
    if (!guidance) return asked;
    const without = denoise(x, sigma, withoutCondition(condition, shape));
    const beyond = perSample(sub(guidance, 1), x.shape.length);
    return add(asked, mul(beyond, sub(asked, without)));
  },
});

/** A teacher guided by one scale for all samples; as it is without one. */
export function guidedAt(teacher: Denoiser, scale: number | undefined, shape: ConditionShape): Denoiser {
  if (scale === undefined) return teacher;
  const { denoise } = guidedByScale(teacher, shape);
  return {
    denoise: (x, sigma, condition) =>
      denoise(x, sigma, { ...condition, guidance: constant(scale, "f32", [x.shape[0]]) }),
  };
}

/** Which guidance scales a generator learns. */
export const guidanceRange = {
  guidanceMin: number({ default: 1, min: 0, about: "least guidance scale" }),
  guidanceMax: number({ default: 1, min: 0, about: "largest guidance scale; 1 is off" }),
};

/**
 * How the scales are drawn, [B]: evenly between the bounds; none where the largest is 1.
 * @throws E_OPTION in the name of `owner` where the bounds are the wrong way round, the scale of samples is not within them, or data or network cannot be guided
 */
export function drawnScale(
  owner: string,
  { guidanceMin: low, guidanceMax: high }: OptionsOf<typeof guidanceRange>,
  shape: DataShape,
  network: Network,
  generator: Generator,
): (noise: NoiseSource, count: number) => { readonly guidance?: Tensor } {
  if (low > high)
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: guidanceMin is ${low} and guidanceMax ${high}, guidanceMin should not be the larger`,
    );
  const off = `losses.${owner}.guidanceMax=1`;
  if (high !== 1) checkGuidable(`Cannot configure ${owner}: guidanceMax is ${high}`, shape, network, off);
  const { guidanceScale: drawn } = generator as { readonly guidanceScale?: number };
  if (drawn !== undefined && (drawn < low || drawn > high))
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: the generator draws samples with the guidance scale ${drawn} and learns scales from ${low} to ${high}, its own should be one of them`,
      { fix: `change generator.guidanceScale, or losses.${owner}.guidanceMin and guidanceMax` },
    );
  if (high === 1) return () => ({});
  return (noise, count) => ({ guidance: add(mul(noise.uniform([count]), high - low), low) });
}
