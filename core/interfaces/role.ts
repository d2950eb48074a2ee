import type { Scope } from "../nn/scope.ts";

/** A network with a part to play in a method: T is what the others can ask of it. */
export interface Role<T = unknown> {
  /** The role over the parameters that `scope` gives; called once while they are laid out, and in every trace. */
  bind(scope: Scope): T;
  /** Asks for every parameter, by applying the role once to placeholders. */
  declare(scope: Scope): void;
  /**
   * The parameter of the other role (`Stage.begins`) whose value this parameter starts with; undefined if it keeps its own
   * start. By default the parameter of the same name.
   */
  inherits?(parameter: string): string | undefined;
}
