import type { Loss } from "../../../core/interfaces/mod.ts";
import { type FrozenWeights, frozenScope } from "../../../core/nn/mod.ts";
import { extractorOf } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** A feature of a frozen network in a loss: x [B, C, H, W] in [-1, 1] → maps [B, width, h, w] or vectors [B, width]. */
export interface Extracted extends Required<Pick<Loss, "frozen" | "load">> {
  features(x: Tensor): Tensor;
}

/** @throws as `extractorOf` */
export function extractedFeatures(...asked: Parameters<typeof extractorOf>): Extracted {
  const { extractor, tap } = extractorOf(...asked);
  let frozen: FrozenWeights | undefined;
  return {
    frozen: () => (frozen ? [frozen] : []),
    async load() {
      frozen = await extractor.load();
    },
    features: (x) => extractor.bind(frozenScope(frozen!)).features(x)[tap],
  };
}
