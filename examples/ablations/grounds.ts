import type { Ground } from "./table.ts";

/** The data sets on which tables can be run, by the name of `--dataset`. */
export const grounds: Readonly<Record<string, Ground>> = {
  gaussians: {
    preset: "gaussians",
    metrics: ["gaussian-modes"],
    columns: { sw: "lower", in2: "higher", lo: "higher" },
    standsFor: { FID: "sw", CLIP: "in2" },
    shown: 4000,
    budgets: {
      quick: { seeds: 1, over: {}, samples: 10_000, pairs: 10_000 },
      full: { seeds: 3, over: {}, samples: 100_000, pairs: 50_000 },
    },
  },
  mnist: {
    preset: "mnist",
    metrics: ["classifier-frechet", "patch-distance"],
    columns: { frechet: "lower", accuracy: "higher", "worst class": "higher", patches: "lower" },
    standsFor: { FID: "frechet", "Patch FID": "patches", CLIP: "accuracy" },
    shown: 100,
    budgets: {
      quick: { seeds: 1, over: {}, samples: 1000, pairs: 1000 },
      full: { seeds: 2, over: { train: { steps: 3500 } }, samples: 5000, pairs: 5000 },
    },
  },
};
