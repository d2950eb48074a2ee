import type { Resolver } from "../di/resolver.ts";
import type { ListToken } from "../di/token.ts";
import { failure } from "../errors.ts";

/** The one of a list that has this name. Throws E_MISSING_PLUGIN when the run has none; `kind` is for the message. */
export function named<T extends { readonly name: string }>(
  container: Resolver,
  list: ListToken<T>,
  kind: string,
  name: string,
): T {
  const all = container.all(list);
  const found = all.find((each) => each.name === name);
  if (found) return found;
  throw failure(
    "E_MISSING_PLUGIN",
    `Cannot use ${kind} "${name}": the run has ${all.map((each) => each.name).join(", ") || "none"}`,
  );
}
