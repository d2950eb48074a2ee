import { failure } from "../../core/errors.ts";
import type { WeightsInfo } from "../../core/train/files/weightsFile.ts";

/** Guidance as the weights of a role know it. */
export interface KnownScales {
  /** With which samples are drawn where nobody says another. */
  readonly usual: number;
  readonly least: number;
  readonly most: number;
}

/** The scales that a generator has learned to be told; undefined for weights that are told none. */
export function scalesOf({ role, config }: WeightsInfo): KnownScales | undefined {
  const { guidanceScale, guidanceMin = 1, guidanceMax = 1 } = (config.generator ?? {}) as Record<string, unknown>;
  const isTold = [guidanceScale, guidanceMin, guidanceMax].every(Number.isFinite);
  if (role === "teacher" || role === "critic" || !isTold) return undefined;
  return { usual: guidanceScale as number, least: guidanceMin as number, most: guidanceMax as number };
}

/**
 * Weights as they are drawn at a scale of guidance, and without one as the run drew them: a generator is told it, in one call; a
 * teacher is guided by it, in two for each of its own.
 * @param verb what is to be done, for messages
 * @throws E_OPTION for a generator that was told none in training, or others
 */
export function toldScale(verb: string, info: WeightsInfo, guidance: number | undefined): WeightsInfo {
  if (guidance === undefined) return info;
  const { config, role } = info;
  const refuse = (why: string, fix: string) =>
    failure("E_OPTION", `Cannot ${verb} with guidance ${guidance}: ${why}`, { fix });
  if (role === "teacher")
    return { ...info, config: { ...config, teacher: { use: "guided", guidanceScale: guidance } } };
  const known = scalesOf(info);
  if (!known || !config.generator)
    throw refuse(
      `the ${role} was not taught to be told a scale`,
      "leave guidance out, or train a generator with generator.guidanceScale and guidanceMax, as mnist-guided does",
    );
  const { least, most } = known;
  if (guidance < least || guidance > most)
    throw refuse(
      `the ${role} has learned ${least === most ? `the scale ${least} alone` : `scales from ${least} to ${most}`}`,
      "choose one of these, or train with other bounds generator.guidanceMin and generator.guidanceMax",
    );
  return { ...info, config: { ...config, generator: { ...config.generator, guidanceScale: guidance } } };
}
