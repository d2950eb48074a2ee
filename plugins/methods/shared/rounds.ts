/** Rounds in which the generator of one is the teacher of the next, with fewer steps each. */
import { failure } from "../../../core/errors.ts";
import type { Generator, Role, Sampler, Teacher } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { eulerTo } from "../../samplers/shared/rules.ts";

/**
 * @param says which setting says how many steps the generator takes
 * @throws E_CONFIG in the name of `owner` unless the generator begins at one level and can become the teacher of the next round
 */
export function checkSuccession(
  owner: string,
  { teacher, generator }: { readonly teacher: Teacher; readonly generator: Generator },
  rounds: number,
  says: string,
): void {
  checkOneLevel(owner, generator, says);
  if (rounds === 1) return;
  const refuse = (why: string, fix: string) => failure("E_CONFIG", `Cannot configure ${owner}: ${why}`, { fix });
  if (!teacher.trainable)
    throw refuse(
      "the generator of a round teaches the next, and this teacher is not a plain network",
      "use the teacher `edm`, with --teacher FILE for weights that are there already",
    );
  const known = parametersOf(teacher);
  const foreign = parametersOf(generator).find((name) => !known.includes(name));
  if (foreign !== undefined)
    throw refuse(
      `the generator of a round teaches the next, and the teacher has no parameter ${foreign}`,
      "train all parameters, without adapters",
    );
}

/** As `checkSuccession`, of the one level alone. */
export function checkOneLevel(owner: string, { sigmas }: Generator, says: string): void {
  if (sigmas.length !== 1)
    throw failure(
      "E_CONFIG",
      `Cannot configure ${owner}: the generator has ${sigmas.length} noise levels, should have one, at which samples begin`,
      { fix: `set generator.sigmas to that level; ${says} how many steps it takes from there` },
    );
}

/** Names of the parameters that a role has. */
export const parametersOf = (role: Role): readonly string[] =>
  layoutOf((scope) => role.declare(scope)).entries.map(({ name }) => name);

/** Euler's steps down falling levels, the last of which is where they end; 0 is the clean sample. */
export function eulerOn(sigmas: readonly number[], startScale?: number): Sampler {
  return {
    sigmaMax: sigmas[0],
    startScale,
    steps: sigmas.slice(0, -1).map((sigma, i) => eulerTo(sigma, sigmas[i + 1])),
  };
}
