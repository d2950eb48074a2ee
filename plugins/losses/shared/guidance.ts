/** Classifier-free guidance by a scale that each sample has of its own: the entry `guidance` of its condition. */
import type { Resolver } from "../../../core/di/mod.ts";
import { checkGuidable, type NoiseSource, perSample, withoutCondition } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import {
  type Condition,
  type ConditionShape,
  DATA_SHAPE,
  type Denoiser,
  type DrawnNumber,
  GENERATOR,
  NETWORK,
  TEACHER,
} from "../../../core/interfaces/mod.ts";
import { add, constant, div, mean, mul, sqrt, square, sub } from "../../../core/ops/mod.ts";
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

/** A condition for a network that is told no scale. */
export const untold = ({ guidance: _, ...condition }: Condition): Condition => condition;

/** The condition of other samples, told the scales of generated ones in the same places, so that these do not tell them apart. */
export const toldLike = (condition: Condition, { guidance }: Condition): Condition =>
  guidance ? { ...condition, guidance } : condition;

/**
 * A guided prediction brought back to the deviation of the one without guidance: D·((1 − share) + share·std D_c/std D), each
 * deviation over a sample. [B, …]. Lin et al. 2023, arXiv:2305.08891, section 3.4.
 */
export function rescaled(guided: Tensor, plain: Tensor, share: number): Tensor {
  if (share === 0) return guided;
  const over = { axes: plain.shape.map((_, axis) => axis).slice(1), keepDims: true };
  const deviation = (x: Tensor) => sqrt(mean(square(sub(x, mean(x, over))), over));
  return mul(guided, add(1 - share, mul(div(deviation(plain), add(deviation(guided), 1e-8)), share)));
}

/**
 * The guidance scales that the run's generator learns; undefined where it learns none.
 * @throws E_OPTION in the name of `owner` where data or network cannot be guided, or the teacher brings guidance of its own
 */
function learntScales(owner: string, container: Resolver): DrawnNumber | undefined {
  const scales = container.has(GENERATOR) ? container.get(GENERATOR).draws?.guidance : undefined;
  if (!scales) return undefined;
  const asked = `Cannot use ${owner}: the generator learns guidance scales up to ${scales.most}`;
  checkGuidable(asked, container.get(DATA_SHAPE), container.get(NETWORK), "generator.guidanceMin=1 and guidanceMax=1");
  const own = container.has(TEACHER) ? container.get(TEACHER).guidanceScale : undefined;
  if (own !== undefined && own !== 1)
    throw failure(
      "E_OPTION",
      `${asked}, and the teacher is guided by ${own} already, it should bring no guidance of its own`,
      { fix: "set teacher.guidanceScale=1" },
    );
  return scales;
}

/**
 * Guides a teacher of generated samples by the scale that each was told; leaves it as it is where the generator learns none. A loss
 * that does so says that it heeds `guidance`.
 * @throws E_OPTION as `learntScales` does
 */
export function guidedAsLearnt(owner: string, container: Resolver): (teacher: Denoiser) => Denoiser {
  if (!learntScales(owner, container)) return (teacher) => teacher;
  const { condition } = container.get(DATA_SHAPE);
  return (teacher) => guidedByScale(teacher, condition);
}

/**
 * How losses on real samples draw scales, [B]: evenly between those that the generator learns; none where it learns none.
 * @throws E_OPTION as `learntScales` does
 */
export function drawnScale(
  owner: string,
  container: Resolver,
): (noise: NoiseSource, count: number) => { readonly guidance?: Tensor } {
  const scales = learntScales(owner, container);
  if (!scales) return () => ({});
  return (noise, count) => ({ guidance: add(mul(noise.uniform([count]), scales.most - scales.least), scales.least) });
}
