import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe, RunConfig } from "../../core/train/mod.ts";

/** The ring, its network and its teacher, for every method. */
const ring = {
  generator: { sigmas: [10] },
  sampler: { steps: 40, sigmaMax: 10 },
  optimizers: {
    teacher: { lr: 2e-3, warmup: 100, decay: "cosine" },
    generator: { warmup: 100, decay: "cosine" },
  },
  averages: { teacher: { use: "ema", halfLife: 200, unit: "updates" } },
  metrics: { "gaussian-modes": {} },
  method: { teacher: { steps: 5000, batch: 256 } },
  train: { batch: 256, evaluateCount: 10_000 },
};

/** Eight Gaussians on a ring by a method: its recipe, the ring, and what the method needs there. */
export const onRing = (recipe: Recipe, over: object): RunConfig => {
  const network = { use: "mlp", width: 128, depth: 5 };
  return mergeConfig(mergeConfig({ ...recipe, dataset: { use: "gaussians" }, network }, ring), over);
};
