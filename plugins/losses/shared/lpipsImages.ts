import { failure } from "../../../core/errors.ts";
import type { DataShape, Extractor } from "../../../core/interfaces/mod.ts";
import { formatShape } from "../../../core/tensor/mod.ts";

/** Throws E_OPTION unless the samples are images that the network can read, enlarged to `size` where they are smaller. */
export function checkImages({ sample }: DataShape, size: number, { channels, smallest }: Extractor["reads"]): void {
  const [C, H, W] = sample;
  if (sample.length !== 3 || !channels.includes(C))
    throw failure(
      "E_OPTION",
      `Cannot configure regression: distance is lpips and samples are ${formatShape(sample)}, should be [${channels.join(" or ")}, H, W]`,
    );
  if (size === 0 && Math.min(H, W) < smallest)
    throw failure(
      "E_OPTION",
      `Cannot configure regression: lpipsSize is 0 and images are ${H} x ${W}, should be at least ${smallest} x ${smallest}`,
    );
}
