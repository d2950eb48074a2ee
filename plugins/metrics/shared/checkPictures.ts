import { failure } from "../../../core/errors.ts";
import type { Extractor } from "../../../core/interfaces/mod.ts";
import { formatShape } from "../../../core/tensor/mod.ts";

/**
 * Whether an extractor can read samples, which it is given as pictures of the shape `made`.
 * @throws E_CONFIG where they are no images, or of other channels, or too small
 */
export function checkPictures(sample: readonly number[], made: readonly number[], { name, reads }: Extractor): void {
  const { channels, smallest } = reads;
  if (sample.length === 3 && channels.includes(sample[0]) && Math.min(made[1], made[2]) >= smallest) return;
  throw failure(
    "E_CONFIG",
    `Cannot judge samples ${formatShape(sample)} with ${name}: should be images of ${channels.join(" or ")} channels, ${smallest} pixels or more on each side`,
  );
}
