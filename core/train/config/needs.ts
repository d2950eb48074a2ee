import { failure } from "../../errors.ts";
import type { ConfiguredPlugin, Registry } from "../../plugin/mod.ts";

/**
 * The plugins of a config, followed by those they need that are not among them.
 * @throws MissingPluginError when a needed plugin is not registered, E_CONFIG when two ask for it with other options
 */
export function withNeeded(plugins: readonly ConfiguredPlugin[], registry: Registry): ConfiguredPlugin[] {
  const all = [...plugins];
  const askedBy = new Map<ConfiguredPlugin, string>();
  // The list grows on the way: what is needed may need something itself.
  for (const { name, options, definition } of all)
    for (const { kind, use, options: asked } of definition.needs?.(options) ?? []) {
      const needed = registry.get(kind, use).configure(asked);
      const present = all.find((each) => each.kind === kind && each.name === use);
      if (!present) {
        all.push(needed);
        askedBy.set(needed, name);
        continue;
      }
      const other = askedBy.get(present);
      const [first, second] = [present, needed].map((each) => JSON.stringify(each.options));
      if (other !== undefined && first !== second)
        throw failure(
          "E_CONFIG",
          `Cannot use one ${kind} "${use}" for both: ${other} asks for ${first} and ${name} for ${second}, should be the same`,
          { fix: `say which with ${kind}s.${use} in the config` },
        );
    }
  return all;
}
