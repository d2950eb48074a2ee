export { Container } from "./container.ts";
export type { Resolver } from "./resolver.ts";
export { type AnyToken, type ListToken, listToken, type Token, token } from "./token.ts";
