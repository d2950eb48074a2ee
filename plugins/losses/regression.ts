import { failure } from "../../core/errors.ts";
import {
  DATA_FOLDER,
  DATA_SHAPE,
  GENERATOR,
  LOSSES,
  type Loss,
} from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { constant, mean, mul } from "../../core/ops/mod.ts";
import { choice, definePlugin, number, text } from "../../core/plugin/mod.ts";
import { decodePairs } from "../../core/train/files/pairsFile.ts";
import { checkImages, type Distance, l2, perceptual, pseudoHuber } from "./shared/distances.ts";
import { checkPairs, storedPairs } from "./shared/storedPairs.ts";

/**
 * Regression on stored pairs of noise z and what the teacher's ODE makes of it.
 *   L = mean d(G(z), y),  G(z) = D_G(s_0·z; σ_0): the generator's first call, from its own highest level
 *   l2: mean (a − b)²;   huber: √(‖a − b‖² + c²) − c a sample, c = huberScale·√D;   lpips: of VGG-16, at lpipsSize pixels
 * z, y [B, …] and label [B], a batch of the pairs drawn by (seed, step) → scalar. Gradient to the generator only. Pairs come
 * from `onestep pairs` and belong to one teacher: those of another are refused.
 * Yin et al. 2023, DMD, arXiv:2311.18828, section 3.3; the weight is 0.5 for unconditional CIFAR-10 there.
 */
export const regression = definePlugin({
  name: "regression",
  kind: "loss",
  token: LOSSES,
  about: "Holds the generator to stored pairs of noise and the teacher's sample",
  options: {
    weight: number({ default: 0.25, min: 0, about: "factor in the generator's total; 0 is off" }),
    pairs: text({ default: "", about: "file of the pairs, written by `onestep pairs`" }),
    distance: choice(["l2", "huber", "lpips"], {
      default: "l2",
      about: "how far a sample is from the teacher's; lpips is for images, and DMD's choice",
    }),
    huberScale: number({
      default: 0.00054,
      above: 0,
      about: "c of huber by the root of a sample's elements; below c it is quadratic",
    }),
    lpipsWeights: text({
      default: "",
      about: 'safetensors file of lpips: the state dict of lpips.LPIPS(net="vgg")',
    }),
    lpipsSize: number({
      default: 224,
      min: 0,
      integer: true,
      about: "pixels to which lpips enlarges smaller images, bilinearly; 0 leaves them",
    }),
  },
  create(
    { weight, pairs: path, huberScale, lpipsWeights, lpipsSize, ...options },
    container,
  ): Loss {
    const shape = container.get(DATA_SHAPE);
    const { sigmas, startScale = sigmas[0] } = container.get(GENERATOR);
    if (options.distance === "lpips") checkImages(shape, lpipsSize);
    let read: ReturnType<typeof decodePairs> | undefined;
    let distance: Distance = options.distance === "huber" ? pseudoHuber(huberScale) : l2;
    return {
      name: "regression",
      role: "generator",
      weight,
      own: storedPairs(shape, () => read!.pairs),
      async load() {
        const { files } = container.get(DATA_FOLDER);
        read = decodePairs(await fileOf(files, "pairs", path), path);
        checkPairs(read.pairs, shape, path);
        if (options.distance !== "lpips") return;
        const bytes = await fileOf(files, "lpipsWeights", lpipsWeights);
        distance = perceptual(bytes, lpipsWeights, lpipsSize);
      },
      checkTeacher(fingerprint) {
        const { teacher } = read!.info;
        if (teacher !== fingerprint)
          throw failure(
            "E_PAIRS",
            `Cannot train on the pairs of ${path}: they are of teacher ${brief(teacher)}, this run's is ${brief(fingerprint)}`,
          );
      },
      compute({ generator, own }) {
        const { z, y, label } = own!;
        const sigma = constant(sigmas[0], "f32", [z.shape[0]]);
        const x = generator.denoise(mul(z, startScale), sigma, label ? { label } : {});
        return mean(distance(x, y));
      },
    };
  },
});

/** The file that an option names. Throws E_OPTION when it names none. */
async function fileOf(
  files: FileSystem | undefined,
  option: string,
  path: string,
): Promise<Uint8Array> {
  if (path !== "" && files) return files.read(path);
  const is = path === "" ? `${option} is not given` : "the run has no files";
  throw failure("E_OPTION", `Cannot train with regression: ${is}, expected a safetensors file`, {
    fix: `set losses.regression.${option}, or leave the loss out with losses.regression=off`,
  });
}

/** Enough of a fingerprint to tell two apart. */
const brief = (fingerprint: string): string => fingerprint.slice(0, 12);
