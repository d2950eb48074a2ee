import { BACKEND, DATA_SHAPE, extractorNamed, type Metric, type SampleSet } from "../../core/interfaces/mod.ts";
import { FrozenNetwork, lpips, type RowStream } from "../../core/nn/mod.ts";
import { choice, definePlugin } from "../../core/plugin/mod.ts";
import { sizeOf } from "../../core/tensor/mod.ts";
import { checkPictures } from "./shared/checkPictures.ts";
import { type Grouping, Groups, groupOptions, meansOf } from "./shared/groups.ts";
import { meanNumbers } from "./shared/intervals.ts";
import { pictureOptions, prepared, preparedShape } from "./shared/pictures.ts";

/** Bytes that every device lets a kernel see at once, and channels of VGG's first layers, which are its widest. */
const [BINDING, CHANNELS] = [128 * 2 ** 20, 64];

/**
 * Diversity: how different samples of one prompt, or of one class, look; the mean LPIPS distance of all pairs of the first `each`
 * samples of a prompt, averaged over prompts. Higher is more diverse, and noise is most diverse of all: read it beside a distance
 * from the data. As in DMD2's table 6: four samples a prompt in a row, each as the middle square of 512 pixels by Lanczos, scaled to
 * [0, 1], though LPIPS is made for [-1, 1]; `range` has both. Which backbone the paper took is not known; this is VGG-16.
 * Zhang et al. 2018, arXiv:1801.03924; Yin et al. 2024, arXiv:2405.14867, appendix B.
 */
export const lpipsDiversity = definePlugin({
  name: "lpips-diversity",
  kind: "metric",
  about: "Mean perceptual distance between samples of one prompt or class",
  options: {
    ...groupOptions("prompt", 4),
    range: choice(["unit", "signed"], {
      default: "unit",
      about: "values that LPIPS is given: in [0, 1] as DMD2's evaluation, or in [-1, 1]",
    }),
    bytes: pictureOptions.bytes,
    size: { ...pictureOptions.size, default: 512 },
  },
  needs: () => [{ kind: "extractor", use: "vgg16" }],
  create({ by, each, range, ...pictures }, container): Metric {
    const vgg16 = extractorNamed(container, "vgg16");
    const { sample } = container.get(DATA_SHAPE);
    const shape = sample.length === 3 ? preparedShape(sample, pictures, vgg16.reads) : sample;
    checkPictures(sample, shape, vgg16);
    const open = async () =>
      FrozenNetwork.open(container.get(BACKEND), {
        weights: await vgg16.load(),
        inputs: { a: { shape }, b: { shape } },
        apply: (scope, { a, b }) => ({ distance: lpips(vgg16.bind(scope), a, b) }),
        batch: Math.max(1, Math.min(16, Math.floor(BINDING / (4 * CHANNELS * shape[1] * shape[2])))),
      });
    let network: Promise<FrozenNetwork> | undefined;
    const read: Read = (x, own) => {
      const values = prepared(x, own, pictures, vgg16.reads);
      return range === "unit" ? values.map((value) => (value + 1) / 2) : values;
    };
    return {
      name: "lpips-diversity",
      least: 2,
      ready: () => vgg16.load(),
      begin: () => {
        const set = new PairSet({ by, each }, read);
        return {
          async take(samples) {
            network ??= open();
            await set.take(samples, await network);
          },
          result: async () => meanNumbers("lpips-diversity", await set.means()),
        };
      },
      async dispose() {
        const opened = await network?.catch(() => undefined);
        opened?.dispose();
      },
    };
  },
});

/** A sample [C, H, W] as LPIPS is given it. */
type Read = (x: Float32Array, sample: readonly number[]) => Float32Array;

/** The pairs of a set, which pass through the network as their second picture comes. */
class PairSet {
  readonly #grouping: Grouping;
  readonly #groups: Groups;
  readonly #read: Read;
  /** Pictures of groups that are not complete. */
  readonly #waiting = new Map<number, Float32Array[]>();
  readonly #pairs: number[] = [];
  #stream: RowStream | undefined;

  constructor(grouping: Grouping, read: Read) {
    this.#grouping = grouping;
    this.#read = read;
    this.#groups = new Groups(grouping);
  }

  async take({ x, shape: [count, ...sample], condition: { label } }: SampleSet, network: FrozenNetwork): Promise<void> {
    this.#stream ??= network.stream();
    const size = sizeOf(sample);
    for (let i = 0; i < count; i++) {
      const group = this.#groups.next(label?.[i]);
      if (group === undefined) continue;
      const picture = this.#read(x.subarray(i * size, (i + 1) * size), sample);
      const others = this.#waiting.get(group) ?? [];
      for (const other of others) {
        this.#pairs.push(group);
        await this.#stream.take({ a: other, b: picture });
      }
      if (others.length + 1 === this.#grouping.each) this.#waiting.delete(group);
      else this.#waiting.set(group, [...others, picture]);
    }
  }

  /** The mean of each group. */
  async means(): Promise<Float64Array> {
    const distances = this.#pairs.length > 0 ? (await this.#stream!.end()).distance : [];
    return meansOf(this.#pairs.map((group, i) => [group, distances[i]]));
  }
}
