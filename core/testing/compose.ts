import { Container } from "../di/mod.ts";
import type { DataShape } from "../interfaces/mod.ts";
import type { ConfiguredPlugin } from "../plugin/mod.ts";
import { provideShape } from "../train/mod.ts";

/**
 * A container with plugins over data of a shape, and EDM's noise process where no plugin provides another.
 *
 * @example
 * const network = compose({ sample: [2], condition: {}, sigmaData: 1 }, mlp({ width: 8 })).get(NETWORK);
 */
export function compose(shape: DataShape, ...plugins: ConfiguredPlugin[]): Container {
  const container = new Container();
  for (const plugin of plugins) plugin.install(container);
  provideShape(container, shape, "the caller");
  return container;
}
