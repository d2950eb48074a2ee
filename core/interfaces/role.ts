import type { Scope } from "../nn/scope.ts";

/** Who takes part in a run. */
export type RoleName = "teacher" | "generator" | "critic";

/** A network with a part to play: T is what the others can ask of it. */
export interface Role<T> {
  /** The role over the parameters that `scope` gives; called once while they are laid out, and in every trace. */
  bind(scope: Scope): T;
  /** Asks for every parameter, by applying the role once to placeholders. */
  declare(scope: Scope): void;
  /** The teacher's parameter with whose value this one starts; undefined where it keeps its own start. */
  inherits?(parameter: string): string | undefined;
}
