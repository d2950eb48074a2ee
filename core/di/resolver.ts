import type { AnyToken, ListToken, Token } from "./token.ts";

/** What a factory sees of its container: it may ask, not register. */
export interface Resolver {
  /** The value of a token. Throws E_MISSING_PLUGIN when nothing provides it, E_CYCLE when it needs itself. */
  get<T>(key: Token<T>): T;
  /** Every value of a list token in order of registration; empty when there is none. */
  all<T>(key: ListToken<T>): T[];
  /** Whether anything provides the token. */
  has<T>(key: AnyToken<T>): boolean;
}
