import { failure } from "../../core/errors.ts";
import { type Batch, classLabel, type Dataset } from "../../core/interfaces/mod.ts";
import { boolean, definePlugin, list, number } from "../../core/plugin/mod.ts";
import { drawFromModes, ringMixture } from "./shared/ring.ts";
import { sigmaDataOption } from "./shared/sigmaData.ts";

/**
 * Points from Gaussians on a ring, without end: mode k of K at radius·(cos 2πk/K, sin 2πk/K), each with the same standard
 * deviation. Samples [2]; with `classes` the mode of a point is its class. `displaced` moves modes outward, to train a wrong teacher on.
 */
export const gaussiansDataset = definePlugin({
  name: "gaussians",
  kind: "dataset",
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
    classes: boolean({ default: false, about: "whether the mode of a point is its class" }),
    sigmaData: sigmaDataOption(0.7),
  },
  async create({ modes, radius, deviation, displaced, displacement, classes, sigmaData }): Promise<Dataset> {
    const unknown = displaced.find((k) => k >= modes);
    if (unknown !== undefined)
      throw failure(
        "E_OPTION",
        `Cannot configure gaussians: displaced has mode ${unknown}, should be 0 to ${modes - 1}`,
      );
    const radii = Array.from({ length: modes }, (_, k) => radius + (displaced.includes(k) ? displacement : 0));
    const mixture = ringMixture({ modes, std: deviation, radii });
    return {
      name: "gaussians",
      shape: { sample: [2], condition: classLabel(classes ? modes : 0), sigmaData },
      size: Number.POSITIVE_INFINITY,
      mixture,
      batch(which, random) {
        if (typeof which !== "number")
          throw failure(
            "E_DATA",
            "Cannot take gaussians by index: points are drawn and not stored, should ask for a number of them",
          );
        const { x, modes } = drawFromModes(mixture, which, random);
        const condition: Batch["condition"] = classes ? { label: modes } : {};
        return { x, condition };
      },
    };
  },
});
