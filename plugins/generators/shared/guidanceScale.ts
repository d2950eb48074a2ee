/** Generators that are told how far to go beyond their condition: one call, where guidance takes two. */
import { placeholders } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { Condition, DataShape, Generator } from "../../../core/interfaces/mod.ts";
import type { LowRank } from "../../../core/nn/mod.ts";
import { constant, input } from "../../../core/ops/mod.ts";
import { number, type OptionsOf, optional } from "../../../core/plugin/mod.ts";

/** Options of a generator that learns guidance scales w, D_∅ + w·(D_c − D_∅) of the teacher; 1 is no guidance. */
export const guidanceOptions = {
  guidanceScale: optional(number({ min: 0 }), {
    about: "guidance scale that samples are drawn with, 1 is off; none is a network that is told no scale",
  }),
  guidanceMin: number({ default: 1, min: 0, about: "least guidance scale that it learns" }),
  guidanceMax: number({
    default: 1,
    min: 0,
    about: "largest guidance scale that it learns; 1 with a least of 1 is off",
  }),
};

/** What a generator that may be told a scale gives besides: the scale that samples are drawn with, and those it learns. */
export interface ToldGenerator extends Generator {
  readonly guidanceScale?: number;
}

/**
 * Both, of the generator plugin `owner`.
 * @throws E_OPTION where the bounds are the wrong way round, the scale of samples is not within them, or adapters should learn scales
 */
export function guidanceOf(
  owner: string,
  {
    guidanceScale,
    guidanceMin: least,
    guidanceMax: most,
    lora,
  }: OptionsOf<typeof guidanceOptions> & { readonly lora: LowRank },
): Pick<ToldGenerator, "guidanceScale" | "draws"> {
  const refuse = (why: string, fix?: string) =>
    failure("E_OPTION", `Cannot configure ${owner}: ${why}`, fix ? { fix } : undefined);
  if (least > most)
    throw refuse(`guidanceMin is ${least} and guidanceMax ${most}, guidanceMin should not be the larger`);
  if (guidanceScale !== undefined && (guidanceScale < least || guidanceScale > most))
    throw refuse(
      `guidanceScale is ${guidanceScale}, should be one of the scales that it learns, ${least === most ? least : `${least} to ${most}`}`,
      "change generator.guidanceScale, or the bounds generator.guidanceMin and generator.guidanceMax",
    );
  const learns = least !== 1 || most !== 1;
  if (learns && guidanceScale !== undefined && lora.rank > 0)
    throw refuse(
      `lora.rank is ${lora.rank} and it is told guidance scales, which adapters can't learn: what tells the network stays as it is`,
      "set generator.lora.rank=0, or leave generator.guidanceScale out",
    );
  return { guidanceScale, ...(learns && { draws: { guidance: { least, most } } }) };
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
