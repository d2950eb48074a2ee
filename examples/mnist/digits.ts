import { mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe, RunConfig } from "../../core/train/mod.ts";

/** The digits, their network and its teacher, for every method. */
const digits = {
  optimizers: { teacher: { lr: 2e-3, warmup: 100, decay: "cosine" } },
  averages: { teacher: { use: "ema", halfLife: 5000, rampUp: 0.05 } },
  metrics: { "classifier-frechet": {} },
  method: { teacher: { steps: 2000, batch: 32 } },
  train: { batch: 32, evaluateCount: 1000 },
};

/** Handwritten digits by class, 16 x 16 pixels, by a method: its recipe, the digits, and what the method needs there. */
export const onDigits = (recipe: Recipe, over: object): RunConfig => {
  const network = { use: "adm", channels: 32, channelMult: [1, 2], blocks: 1, attention: [8], channelsPerHead: 32 };
  const dataset = { use: "mnist", resolution: 16 };
  return mergeConfig(mergeConfig({ ...recipe, dataset, network }, digits), over);
};
