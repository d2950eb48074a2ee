import { failure } from "../../core/errors.ts";
import { DATA_FOLDER, type DataFolder, extractorNamed, type Metric, paceOf } from "../../core/interfaces/mod.ts";
import { fileBytes, openNpz } from "../../core/io/mod.ts";
import { boolean, definePlugin, text } from "../../core/plugin/mod.ts";
import type { FeatureStatistics } from "./shared/frechet.ts";
import { cautionOf, frechetNumbers } from "./shared/frechetNumbers.ts";
import { inceptionMetric, inceptionNeed } from "./shared/inceptionMetric.ts";
import { partsOption } from "./shared/intervals.ts";
import { pictureOptions } from "./shared/pictures.ts";

/**
 * Fréchet Inception Distance: of Gaussians through the 2,048 pooled features of samples and reference. Falls with the number of
 * samples: compare equal numbers only. Fewer samples than features still give the exact distance of their own moments, biased
 * upwards. Heusel et al. 2017, arXiv:1706.08500.
 */
export const fid = definePlugin({
  name: "fid",
  kind: "metric",
  about: "Fréchet Inception Distance to the data's held-out samples, or to published statistics",
  options: {
    statistics: text({
      default: "",
      about: "file of published statistics: .npz with mu [2048] and sigma [2048, 2048]",
    }),
    sumStartsAtOnes: boolean({
      default: false,
      about: "larger covariances by 1/(N - 1), as DMD2's ImageNet evaluation has them",
    }),
    ...partsOption,
    ...pictureOptions,
  },
  needs: inceptionNeed,
  create({ statistics, sumStartsAtOnes, parts, ...pictures }, container): Metric {
    let real: Promise<FeatureStatistics> | undefined;
    const published = (D: number) => readStatistics(container.get(DATA_FOLDER), statistics, D);
    return inceptionMetric(container, {
      name: "fid",
      least: 2,
      pictures,
      caution: cautionOf("fid", 2048, "take more samples, or kid, which has no such bias"),
      ready: async () => statistics && (real ??= published(extractorNamed(container, "inception").widths.pool3)),
      async judge({ pool3 }, reference) {
        real ??= statistics ? published(pool3.D) : reference.statistics("pool3");
        return frechetNumbers("fid", pool3, await real, { parts, sumStartsAtOnes, pace: paceOf(container) });
      },
    });
  },
});

/** Moments of a file as EDM, ADM and clean-FID publish them. Throws E_DATA. */
export async function readStatistics({ files }: DataFolder, path: string, D: number): Promise<FeatureStatistics> {
  if (!files) throw failure("E_OPTION", "Cannot read fid.statistics: the run has no files");
  const arrays = await openNpz(await fileBytes(files, path));
  const read = async (name: string, shape: readonly number[]) => {
    const found = await arrays[name]?.read();
    if (found?.shape.join() !== shape.join())
      throw failure(
        "E_DATA",
        `Cannot use ${path}: ${name} is ${found ? `[${found.shape.join(", ")}]` : "missing"}, should be [${shape.join(", ")}]`,
        { fix: "name statistics of the FID's Inception network, with mu and sigma" },
      );
    const { dtype, data } = found;
    if ((dtype !== "F64" && dtype !== "F32") || !data.every(Number.isFinite))
      throw failure("E_DATA", `Cannot use ${path}: ${name} is ${dtype}, should be finite numbers of 32 or 64 bits`);
    return Float64Array.from(data);
  };
  const moments = { mean: await read("mu", [D]), covariance: await read("sigma", [D, D]), count: Number.NaN };
  checkMoments(moments, path);
  return moments;
}

/** Pooled features of Inception are means over values of ReLU. */
const INCEPTION = 2048;

/** Whether these can be moments, and of this network. Throws E_DATA. */
function checkMoments({ mean, covariance }: FeatureStatistics, path: string): void {
  const D = mean.length;
  const refuse = (why: string, fix: string) => failure("E_DATA", `Cannot use ${path}: ${why}`, { fix });
  const negative = D === INCEPTION ? mean.findIndex((value) => value < -1e-6) : -1;
  if (negative >= 0)
    throw refuse(
      `mu[${negative}] is ${mean[negative].toPrecision(3)}, and no feature of the FID's Inception network is below 0: it is of another extractor`,
      "name statistics of the FID's Inception network, with mu and sigma",
    );
  for (let i = 0; i < D; i++)
    for (let j = 0; j <= i; j++) {
      const [here, there] = [covariance[i * D + j], covariance[j * D + i]];
      const scale = Math.sqrt(Math.abs(covariance[i * D + i] * covariance[j * D + j]));
      if (covariance[i * D + i] < 0 || Math.abs(here - there) > 1e-3 * scale + Number.EPSILON)
        throw refuse(
          `sigma is no covariance: [${i}, ${j}] is ${here}, [${j}, ${i}] ${there}`,
          "name a file whose sigma is a symmetric covariance",
        );
    }
}
