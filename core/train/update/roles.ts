import type { Generator } from "../../interfaces/generator.ts";
import type { Method, Stage } from "../../interfaces/method.ts";
import type { Role } from "../../interfaces/role.ts";

/** The roles of a method that take part in a stage, in the method's order. */
export function rolesOf(method: Method, { roles }: Stage): readonly string[] {
  const all = Object.keys(method.roles);
  return roles ? all.filter((role) => roles.includes(role)) : all;
}

/** The roles that take part from a stage on and in none before it. */
export function joining(method: Method, stage: Stage): readonly string[] {
  const before = method.stages.slice(0, method.stages.indexOf(stage));
  const known = new Set(before.flatMap((each) => rolesOf(method, each)));
  return rolesOf(method, stage).filter((role) => !known.has(role));
}

/** The roles that have a turn in a stage, in the order of their first. */
export const learnersOf = ({ cycle }: Pick<Stage, "cycle">): ReadonlySet<string> =>
  new Set(cycle.flat().map(({ role }) => role));

/** The numbers that images of a role draw for themselves; none of a role that makes no images. */
export const numbersOf = (role: Role | undefined): Generator["draws"] =>
  (role as Partial<Generator> | undefined)?.draws;

/**
 * The role whose weights an adapted role can share instead of taking a copy: the one that it begins with, if nothing moves that
 * one's weights from then on. Undefined where there is none.
 */
export function baseOf(method: Method, role: string): string | undefined {
  const { stages } = method;
  const joins = stages.findIndex((stage) => joining(method, stage).includes(role));
  const base = stages[joins]?.begins?.[role];
  if (base === undefined || !Object.hasOwn(method.roles, base)) return undefined;
  const moves = stages
    .slice(joins)
    .some((stage) => learnersOf(stage).has(base) || Object.hasOwn(stage.begins ?? {}, base));
  return moves ? undefined : base;
}
