/**
 * Tokens name what a container can be asked for; the type parameter is what the answer will be.
 * This file imports nothing, so that interfaces can declare their tokens beside them.
 */

/** Names the one value of type T that a container holds. */
export interface Token<T> {
  readonly key: symbol;
  /** The name error messages use. */
  readonly name: string;
  readonly many: false;
  /** For the type checker only; never set. */
  readonly resolves?: (_: never) => T;
}

/** Names a list of values of type T: every provider adds one, in order. */
export interface ListToken<T> {
  readonly key: symbol;
  /** The name error messages use. */
  readonly name: string;
  readonly many: true;
  /** For the type checker only; never set. */
  readonly resolves?: (_: never) => T;
}

/** A token of either sort; T is the type of one value. */
export type AnyToken<T> = Token<T> | ListToken<T>;

// Symbol.for: a user's plugin may load a second copy of this module, and its tokens must still match.
const keyOf = (name: string): symbol => Symbol.for(`onestep/token/${name}`);

/** Makes the token of a single value. Two tokens of the same name are the same token. */
export function token<T>(name: string): Token<T> {
  return Object.freeze({ key: keyOf(name), name, many: false as const });
}

/** Makes the token of a list of values, such as losses or observers. */
export function listToken<T>(name: string): ListToken<T> {
  return Object.freeze({ key: keyOf(name), name, many: true as const });
}
