/** Generators that are told how far to go beyond their condition: one call, where guidance takes two. */
import { placeholders } from "../../../core/diffusion/mod.ts";
import type { Condition, DataShape, Generator } from "../../../core/interfaces/mod.ts";
import { constant, input } from "../../../core/ops/mod.ts";
import { number, optional } from "../../../core/plugin/mod.ts";

/** Without it a generator is told no scale, whatever a condition says. */
export const guidanceScaleOption = optional(number({ min: 0 }), {
  about: "guidance scale that samples are drawn with, 1 is off; none is a network that is told no scale",
});

/** A generator that may be told a scale: the one that samples are drawn with. */
export interface ToldGenerator extends Generator {
  readonly guidanceScale?: number;
}

/**
 * The condition as the network sees it: with `guidance` [B], that of the condition or `scale`; without where there is no `scale`.
 * @param count B
 */
export const toldScale = ({ guidance, ...others }: Condition, count: number, scale: number | undefined): Condition =>
  scale === undefined ? others : { ...others, guidance: guidance ?? constant(scale, "f32", [count]) };

/** Placeholders of a generator that may be told a scale. */
export function toldPlaceholders(shape: DataShape): ReturnType<typeof placeholders> {
  const { condition, ...noisy } = placeholders(shape);
  return { ...noisy, condition: { ...condition, guidance: input("guidance", [1]) } };
}
