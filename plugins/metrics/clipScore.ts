import type { Resolver } from "../../core/di/mod.ts";
import { failure } from "../../core/errors.ts";
import {
  BACKEND,
  DATA_FOLDER,
  DATA_SHAPE,
  type Encoder,
  encoderNamed,
  extractorNamed,
  type Metric,
} from "../../core/interfaces/mod.ts";
import { decodePrompts } from "../../core/io/mod.ts";
import { FrozenNetwork } from "../../core/nn/mod.ts";
import { definePlugin, text } from "../../core/plugin/mod.ts";
import { joined } from "../../core/tensor/mod.ts";
import { cosines } from "./shared/cosines.ts";
import { featureMetric } from "./shared/featureMetric.ts";
import { meanNumbers } from "./shared/intervals.ts";
import { pictureOptions } from "./shared/pictures.ts";

/** Texts that the tower reads together. */
const BATCH = 32;

/**
 * CLIP score: how well pictures show what they were asked to, the mean cosine between the embeddings of picture and prompt, neither
 * scaled nor cut off at 0. As DMD2's evaluation has it: the middle square is resized to 256 pixels by Lanczos, then as CLIP does it,
 * and the tokens of "A photo depicts" stand before each prompt's. The paper's numbers are of OpenCLIP's ViT-g/14, 0.27 to 0.34.
 * Prompts come from a list, one for each sample in turn, or what `template` makes of the classes' names. Both towers must be of
 * one network. Hessel et al. 2021, arXiv:2104.08718; Yin et al. 2024, arXiv:2405.14867, appendix G.
 */
export const clipScore = definePlugin({
  name: "clip-score",
  kind: "metric",
  about: "Mean cosine between CLIP's embeddings of samples and of their prompts",
  options: {
    prompts: text({
      default: "",
      about: "list of prompts, one for each sample in turn: a prompt a line, or Python's pickled list",
    }),
    template: text({
      default: "",
      about: "prompt of a class where there is no such file: {} stands for its name, as in a photo of a {}",
    }),
    prefix: text({ default: "A photo depicts", about: "text before each prompt" }),
    bytes: pictureOptions.bytes,
    size: { ...pictureOptions.size, default: 256 },
  },
  needs: () => [
    { kind: "extractor", use: "clip-vision" },
    { kind: "encoder", use: "clip-text" },
  ],
  create({ prompts: file, template, prefix, ...pictures }, container): Metric {
    const encoder = encoderNamed(container, "clip-text");
    checkTowers(extractorNamed(container, "clip-vision").widths.embeds, encoder.widths.embeds);
    if (file === "" && template === "")
      throw failure("E_OPTION", "Cannot configure clip-score: prompts is not given, expected a file of prompts", {
        fix: "set metrics.clip-score.prompts, or metrics.clip-score.template where the data name their classes",
      });
    const texts = new Texts(container, encoder, prefix);
    let prompts: Promise<readonly string[]> | undefined;
    const promptsOf = async (count: number, labels: Int32Array) =>
      file === ""
        ? promptsOfClasses(container, template, labels)
        : firstPrompts(await (prompts ??= readPrompts(container, file)), count, file);
    return featureMetric<"embeds">(container, {
      name: "clip-score",
      extractor: "clip-vision",
      pictures,
      ready: () => Promise.all([texts.ready(), promptsOf(0, new Int32Array(0))]),
      async judge({ embeds }, _, labels) {
        const asked = await promptsOf(embeds.data.length / embeds.D, labels);
        return meanNumbers("clip-score", cosines(embeds, { data: await texts.embeds(asked), D: embeds.D }));
      },
      dispose: () => texts.dispose(),
    });
  },
});

/** @throws E_CONFIG where the towers have no space in common */
function checkTowers(image: number, text: number): void {
  if (image !== text)
    throw failure(
      "E_CONFIG",
      `Cannot configure clip-score: clip-vision embeds in ${image} dimensions and clip-text in ${text}, should be towers of one network`,
      { fix: "set extractors.clip-vision.network and encoders.clip-text.network to the same one" },
    );
}

async function readPrompts(container: Resolver, path: string): Promise<readonly string[]> {
  const { files } = container.get(DATA_FOLDER);
  if (!files) throw failure("E_OPTION", "Cannot read clip-score.prompts: the run has no files");
  return decodePrompts(await files.read(path), path);
}

function firstPrompts(lines: readonly string[], count: number, path: string): readonly string[] {
  if (count > lines.length)
    throw failure("E_DATA", `Cannot judge ${count} samples by ${path}: it has ${lines.length} prompts`, {
      fix: "judge as many samples as there are prompts, or fewer",
    });
  return lines.slice(0, count);
}

/** What the template makes of the names of classes. Throws E_CONFIG where the data name none. */
function promptsOfClasses(container: Resolver, template: string, labels: Int32Array): readonly string[] {
  const names = container.get(DATA_SHAPE).condition.label?.names;
  if (!names)
    throw failure(
      "E_CONFIG",
      "Cannot make prompts with clip-score.template: the data do not name their classes, expected names",
      { fix: "give a file of prompts with metrics.clip-score.prompts" },
    );
  return Array.from(labels, (label) => template.replaceAll("{}", names[label]));
}

/** The embeddings of texts, each computed once for all sets of a run. */
class Texts {
  readonly #container: Resolver;
  readonly #encoder: Encoder;
  readonly #prefix: string;
  readonly #known = new Map<string, Float32Array>();
  #network: Promise<FrozenNetwork> | undefined;

  constructor(container: Resolver, encoder: Encoder, prefix: string) {
    this.#container = container;
    this.#encoder = encoder;
    this.#prefix = prefix;
  }

  /** Reads the files of the encoder. */
  ready(): Promise<unknown> {
    return Promise.all([this.#encoder.load(), this.#encoder.tokens([])]);
  }

  /** One row for each text. */
  async embeds(texts: readonly string[]): Promise<Float32Array> {
    const unknown = [...new Set(texts)].filter((each) => !this.#known.has(each));
    if (unknown.length > 0) {
      this.#network ??= this.#open();
      const ids = await this.#encoder.tokens(unknown, this.#prefix);
      const { embeds } = await (await this.#network).run({ ids });
      const width = embeds.length / unknown.length;
      for (const [i, each] of unknown.entries())
        this.#known.set(each, (embeds as Float32Array).slice(i * width, (i + 1) * width));
    }
    return joined(texts.map((each) => this.#known.get(each)!)) as Float32Array;
  }

  async #open(): Promise<FrozenNetwork> {
    const encoder = this.#encoder;
    return FrozenNetwork.open(this.#container.get(BACKEND), {
      weights: await encoder.load(),
      inputs: { ids: { shape: [encoder.context], dtype: "i32" } },
      apply: (scope, { ids }) => encoder.bind(scope).encode(ids),
      batch: BATCH,
    });
  }

  async dispose(): Promise<void> {
    const network = await this.#network?.catch(() => undefined);
    network?.dispose();
  }
}
