import { failure } from "../../core/errors.ts";
import { DATASET_SOURCE } from "../../core/interfaces/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import { gaussians } from "./gaussians.ts";

/**
 * Points from Gaussians on a ring, without end: mode k of K at radius·(cos 2πk/K, sin 2πk/K), each with the same standard
 * deviation. Samples [2], no classes. `displaced` moves modes outward, to train a wrong teacher on.
 */
export const gaussiansDataset = definePlugin({
  name: "gaussians",
  kind: "dataset",
  token: DATASET_SOURCE,
  about: "Points in the plane, drawn from Gaussians on a ring",
  options: {
    modes: number({ default: 8, min: 1, integer: true, about: "number of Gaussians" }),
    radius: number({ default: 1, min: 0, about: "distance of the modes from the origin" }),
    deviation: number({ default: 0.12, above: 0, about: "standard deviation of each mode" }),
    displaced: list(number({ min: 0, integer: true }), {
      default: [],
      about: "indices of modes that stand elsewhere, from 0",
    }),
    displacement: number({ default: 0.5, about: "how far outward the displaced modes stand" }),
    sigmaData: number({
      default: 0.7,
      above: 0,
      about: "standard deviation of the data as the preconditioning takes it",
    }),
  },
  async create({ modes, radius, deviation, displaced, displacement, sigmaData }) {
    const unknown = displaced.find((k) => k >= modes);
    if (unknown !== undefined)
      throw failure(
        "E_OPTION",
        `Cannot configure gaussians: displaced has mode ${unknown}, should be 0 to ${modes - 1}`,
      );
    const radii = Array.from(
      { length: modes },
      (_, k) => radius + (displaced.includes(k) ? displacement : 0),
    );
    const { sampleShape, classes, ...data } = gaussians({ modes, std: deviation, radii });
    return { ...data, shape: { sample: sampleShape, classes, sigmaData } };
  },
});
