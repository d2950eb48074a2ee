import { failure, suggestion } from "../../../core/errors.ts";
import { imagenet64, type PublishedRow, sdxl } from "./published.ts";

/** The settings behind a table of the paper: everything that decides its numbers but the samples. */
export interface NamedProtocol {
  /** What it is for, in a line. */
  readonly about: string;
  /** Options of its metrics and extractors; all others have their defaults. */
  readonly metrics: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly extractors: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly count: number;
  readonly seed: number;
  /** Shape of a sample, where only one will do. */
  readonly sample?: readonly number[];
  readonly reference: {
    readonly kind: "statistics" | "images";
    /** What to give, in words. */
    readonly what: string;
    /** How many images it has. */
    readonly count?: number;
    /** Options of the dataset `pictures`, for a folder of files of any size. */
    readonly pictures?: Readonly<Record<string, unknown>>;
  };
  /** Files of weights, in words, by the extractor that reads them. */
  readonly weights: Readonly<Record<string, string>>;
  /** What single metrics need besides, by their names. */
  readonly besides?: Readonly<Record<string, Besides>>;
  /** What it can't repeat, or what a reader has to know. */
  readonly notes: readonly string[];
  /** What the paper prints, of the same protocol. */
  readonly published: readonly PublishedRow[];
}

/** What a metric needs beside the rest of its protocol. */
export interface Besides {
  readonly extractors: NamedProtocol["extractors"];
  readonly encoders: NamedProtocol["extractors"];
  /** Files, in words, by the option that names each. */
  readonly files: Readonly<Record<string, string>>;
}

/** CLIP score through the towers of OpenCLIP's ViT-g/14, laion2b_s12b_b42k. */
const CLIP_G: Besides = {
  extractors: { "clip-vision": { network: "ViT-g/14" } },
  encoders: { "clip-text": { network: "ViT-g/14" } },
  files: {
    "extractors.clip-vision.weights": "OpenCLIP's ViT-g-14, laion2b_s12b_b42k",
    "encoders.clip-text.weights": "the same file",
    "encoders.clip-text.merges": "OpenAI's bpe_simple_vocab_16e6.txt.gz",
    "metrics.clip-score.prompts": "the list of its 10,000 captions",
  },
};

const INCEPTION = "pytorch-fid's pt_inception-2015-12-05-6726825d.pth";
/** The middle square, resized once by Lanczos' filter. */
const squares = (size: number) => ({ size: [size, size], fit: "crop", filter: "lanczos" });
const SEEDS =
  "the paper draws batch i from seed i, onestep sample i from a stream of its own: the numbers are as good, not the same";

/** The protocols of the paper's tables, by name. */
export const protocols: Readonly<Record<string, NamedProtocol>> = {
  "imagenet64-dmd2": {
    about: "Table 1, and 3: FID of 50,000 samples, labels in turn, EDM's statistics",
    metrics: { fid: { bytes: "dmd2", sumStartsAtOnes: true } },
    extractors: { inception: { reading: "tf1" } },
    count: 50_000,
    seed: 10,
    sample: [3, 64, 64],
    reference: { kind: "statistics", what: "EDM's imagenet-64x64.npz" },
    weights: { inception: INCEPTION },
    notes: [
      "sumStartsAtOnes repeats the sum of DMD2's evaluation, which begins with ones; EDM's own has metrics.fid.bytes=edm and without it",
      "the paper shows the best of many checkpoints",
    ],
    published: imagenet64,
  },
  coco10k: {
    about: "Table 2, and 4: FID and CLIP score of 10,000 samples, middle square, 512 pixels",
    metrics: { fid: { bytes: "dmd2", size: 512 }, "clip-score": {} },
    extractors: { inception: { reading: "clean" } },
    count: 10_000,
    seed: 10,
    reference: {
      kind: "images",
      what: "folder of the 10,000 pictures of its list, out of COCO-2014 val",
      count: 10_000,
      pictures: squares(512),
    },
    weights: { inception: INCEPTION },
    besides: { "clip-score": CLIP_G },
    notes: [SEEDS],
    published: sdxl(["fid", "clip-score"]),
  },
  coco30k: {
    about: "Table 5: FID of 30,000 samples, middle square, 256 pixels",
    metrics: { fid: { bytes: "dmd2", size: 256 } },
    extractors: { inception: { reading: "clean" } },
    count: 30_000,
    seed: 10,
    reference: {
      kind: "images",
      what: "folder of COCO's val2014, 40,504 pictures",
      count: 40_504,
      pictures: squares(256),
    },
    weights: { inception: INCEPTION },
    notes: [SEEDS],
    published: [],
  },
  "patch-fid": {
    about: "Table 2, and 4: Patch FID of 10,000 samples, the middle 299 pixels as they are",
    metrics: { "patch-fid": { bytes: "dmd2" } },
    extractors: { inception: { reading: "clean" } },
    count: 10_000,
    seed: 10,
    reference: {
      kind: "images",
      what: "folder of the 10,000 pictures of its list, out of COCO-2014 val",
      count: 10_000,
      pictures: { crop: [299, 299] },
    },
    weights: { inception: INCEPTION },
    notes: [
      SEEDS,
      "the reference is not enlarged to the samples' 1,024 pixels, in the paper neither: the distance has the change of scale in it",
    ],
    published: sdxl(["patch-fid"]),
  },
};

/** The protocol of a name. Throws E_USAGE. */
export function protocolNamed(name: string): NamedProtocol {
  if (Object.hasOwn(protocols, name)) return protocols[name];
  const names = Object.keys(protocols);
  throw failure(
    "E_USAGE",
    `Cannot evaluate by "${name}": it is not one of ${names.join(", ")}${suggestion(name, names)}`,
    { fix: "`onestep evaluate --protocol` lists them" },
  );
}

/** What was given for a protocol. */
export interface GivenForProtocol {
  readonly has: (kind: "metric" | "extractor", name: string) => boolean;
  /** Whether a file of weights is named for an extractor. */
  readonly weights: (extractor: string) => boolean;
  /** Whether an option is set. */
  readonly set: (option: string) => boolean;
  readonly reference: boolean;
  /** Metrics that are asked for. */
  readonly metrics: readonly string[];
}

/** What a protocol needs and is missing, each as one would give it. */
export function missingFor(protocol: NamedProtocol, given: GivenForProtocol): string[] {
  const { reference, weights, besides = {} } = protocol;
  const files = given.metrics.filter((name) => given.has("metric", name)).map((name) => besides[name]?.files ?? {});
  return [
    ...given.metrics.filter((name) => !given.has("metric", name)).map((name) => `the metric ${name}, a plugin`),
    ...(given.reference ? [] : [`--reference (${reference.what})`]),
    ...Object.entries(weights)
      .filter(([name]) => given.has("extractor", name) && !given.weights(name))
      .map(([name, what]) => `--set extractors.${name}.weights=FILE (${what})`),
    ...Object.entries(Object.assign({}, ...files) as Besides["files"])
      .filter(([option]) => !given.set(option))
      .map(([option, what]) => `--set ${option}=FILE (${what})`),
  ];
}
