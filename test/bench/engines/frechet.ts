import { featureStatistics, frechetDistance } from "../../../plugins/metrics/shared/frechet.ts";
import { hashUniform } from "../data.ts";
import type { Prepared } from "../serve.ts";

/** Fréchet distance of two sets of features, moments included, on the host. */
export async function frechet(count: number, D: number): Promise<Prepared> {
  const [x, y] = [1, 2].map((seed) => hashUniform(seed, count * D));
  return {
    async call() {
      await frechetDistance(await featureStatistics(x, D), await featureStatistics(y, D));
    },
  };
}
