import { failure } from "../../errors.ts";
import type { ResolvedConfig } from "../config/config.ts";

/**
 * A config whose batches have parts for all ranks: where it has them in one piece, each rank gets a part.
 * @throws E_OPTION where there are more ranks than parts
 */
export function inParts(resolved: ResolvedConfig, size: number): ResolvedConfig {
  const { settings, config } = resolved;
  const { accumulate } = settings;
  if (size === 1 || accumulate >= size) return resolved;
  if (accumulate > 1)
    throw failure(
      "E_OPTION",
      `Cannot share a batch among ${size} ranks: it has ${accumulate} parts (train.accumulate), should have ${size} or more`,
      { fix: `start ${accumulate} ranks or fewer, or set train.accumulate to a multiple of ${size}` },
    );
  const train = { ...settings, accumulate: size };
  return { ...resolved, settings: train, config: { ...config, train: { ...config.train, accumulate: size } } };
}
