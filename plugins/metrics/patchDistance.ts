import { failure } from "../../core/errors.ts";
import { DATASET, type Dataset, type Metric } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { hostRandom } from "../../core/random/mod.ts";
import { sizeOf } from "../../core/tensor/mod.ts";
import { directionOf } from "./shared/directions.ts";
import { cutPatch, halved, type PatchPlan, patchPlan } from "./shared/patches.ts";
import { quantileDistance } from "./shared/quantileDistance.ts";

/** Patches of an image at each resolution. */
const PATCHES = 16;
/** Streams of the random numbers, apart from those of data and samples. */
const [PLACES, DIRECTIONS] = [101, 102];

/**
 * Sliced Wasserstein-1 distance of patches, samples against the whole test set: of every image 16 patches of 7 x 7 pixels at each
 * of up to three resolutions (its own, a half, a quarter), brought to mean 0 and deviation 1 of the real patches of that
 * resolution channel by channel, and projected on `directions` fixed directions:
 *   mean over resolutions and directions θ of ∫ |quantile of a·θ − quantile of b·θ|
 * It needs neither classes nor a network, and sees texture, edges, colours and brightness at three sizes; not whether a whole
 * image makes sense. The row of real data shows what two sets of the same images are apart.
 * After the SWD of Karras et al. 2018, arXiv:1710.10196, section 5, with means of 2 x 2 in place of a Laplacian pyramid.
 */
export const patchDistance = definePlugin({
  name: "patch-distance",
  kind: "metric",
  about: "sliced Wasserstein distance of small patches to those of the test set; needs no classes and no network",
  options: {
    directions: number({ default: 64, min: 1, max: 1024, integer: true, about: "directions of projection" }),
  },
  create({ directions }, container): Metric {
    const dataset = container.get(DATASET);
    checkData(dataset);
    let opened: Promise<Reference> | undefined;
    const reference = () => (opened ??= openReference(dataset, directions));
    return {
      name: "patch-distance",
      // Projections of its patches, in order of the patches and sorted.
      bytesPerSample: 2 * 4 * directions * PATCHES * patchPlan(dataset.shape.sample).levels.length,
      begin() {
        let seen: PatchSet | undefined;
        return {
          async take({ x }) {
            const { plan, project } = await reference();
            seen ??= new PatchSet(plan);
            seen.take(x, project);
          },
          async result() {
            const { projected } = await reference();
            return { patches: distance(seen!.projected(), projected) };
          },
        };
      },
    };
  },
});

/** @throws E_CONFIG for data that it can't judge, before anything is trained */
function checkData({ name, shape: { sample }, test }: Dataset): void {
  const isImages = sample.length === 3;
  if (isImages && test) return;
  throw failure(
    "E_CONFIG",
    `Cannot judge ${name} with patch-distance: it has ${isImages ? "no test set" : "no images"}, expected images with a test set`,
    {
      fix: "hold some samples out, as --set dataset.holdOut=0.1 does of pictures; or leave the metric out with --set metrics.patch-distance=off",
    },
  );
}

/** A patch of a resolution → its projections. */
type Project = (level: number, patch: Float64Array) => Float32Array;

/** What the test set looks like. */
interface Reference {
  readonly plan: PatchPlan;
  readonly project: Project;
  readonly projected: Projections;
}

/** Of every resolution and direction all projections, in rising order. */
type Projections = readonly (readonly Float32Array[])[];

/** The patches of images that come in portions: which ones depends on how many images came before, not on the portions. */
class PatchSet {
  readonly #plan: PatchPlan;
  readonly #rows: Float32Array[][];
  #count = 0;

  constructor(plan: PatchPlan) {
    this.#plan = plan;
    this.#rows = plan.levels.map(() => []);
  }

  take(x: Float32Array, project: Project): void {
    this.visit(x, (level, patch) => this.#rows[level].push(project(level, patch)));
  }

  visit(x: Float32Array, see: (level: number, patch: Float64Array) => void): void {
    const { channels, height, width, levels } = this.#plan;
    const size = channels * levels[0][0] * levels[0][1];
    const patch = new Float64Array(channels * height * width);
    for (let first = 0; first < x.length; first += size) {
      const random = hostRandom(0, this.#count++, PLACES);
      let image = x.subarray(first, first + size);
      for (const [level, [h, w]] of levels.entries()) {
        if (level > 0) image = halved(image, channels, ...levels[level - 1]);
        for (let n = 0; n < PATCHES; n++) {
          const y = Math.floor(random() * (h - height + 1));
          cutPatch(patch, image, this.#plan, levels[level], y, Math.floor(random() * (w - width + 1)));
          see(level, patch);
        }
      }
    }
  }

  projected(): Projections {
    return this.#rows.map((rows) => Array.from(rows[0], (_, k) => Float32Array.from(rows, (row) => row[k]).sort()));
  }
}

async function openReference(dataset: Dataset, directions: number): Promise<Reference> {
  const plan = patchPlan(dataset.shape.sample);
  const { x } = await dataset.test!();
  const { channels, height, width, levels } = plan;
  const area = height * width;
  const sums = levels.map(() => Array.from({ length: channels }, () => ({ total: 0, squares: 0, count: 0 })));
  new PatchSet(plan).visit(x, (level, patch) => {
    for (const [i, value] of patch.entries()) {
      const sum = sums[level][Math.floor(i / area)];
      sum.total += value;
      sum.squares += value * value;
      sum.count++;
    }
  });
  const scales = sums.map((level) =>
    level.map(({ total, squares, count }) => {
      const mean = total / count;
      return { mean, deviation: Math.sqrt(Math.max(squares / count - mean * mean, 1e-12)) };
    }),
  );
  const axes = Array.from({ length: directions }, (_, k) =>
    directionOf(sizeOf([channels, area]), hostRandom(0, k, DIRECTIONS)),
  );
  const project: Project = (level, patch) => {
    const scaled = patch.map((value, i) => {
      const { mean, deviation } = scales[level][Math.floor(i / area)];
      return (value - mean) / deviation;
    });
    return Float32Array.from(axes, (axis) => axis.reduce((sum, each, i) => sum + each * scaled[i], 0));
  };
  const set = new PatchSet(plan);
  set.take(x, project);
  return { plan, project, projected: set.projected() };
}

/** Mean over resolutions and directions of the Wasserstein-1 distance of the projections. */
function distance(a: Projections, b: Projections): number {
  const distances = a.flatMap((level, i) => level.map((values, k) => quantileDistance(values, b[i][k], 1)));
  return distances.reduce((sum, each) => sum + each, 0) / distances.length;
}
