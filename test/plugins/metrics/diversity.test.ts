// What the metrics of diversity and the CLIP score say beyond what the plugin kit asks of them.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import {
  BACKEND,
  classLabel,
  DATA_FOLDER,
  type DataShape,
  encoderNamed,
  extractorNamed,
  METRICS,
} from "../../../core/interfaces/mod.ts";
import { FrozenNetwork, frozenScope, lpips } from "../../../core/nn/mod.ts";
import type { ConfiguredPlugin } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { judgeSamples } from "../../../core/train/mod.ts";
import * as plugins from "../../../plugins/mod.ts";
import { evaluateOn } from "../../conformance/feed.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected, thrown } from "../../helpers/thrown.ts";
import { compose, Feed, numbers } from "../support.ts";
import { smallEncoder, smallExtractor, smallVgg } from "./smallExtractor.ts";

const test = suite("plugins/metrics/diversity");

const backend = new ReferenceBackend("f64");
const shape: DataShape = { sample: [1, 5, 5], condition: classLabel(2), sigmaData: 0.5 };
const COUNT = 7;
/** Values of bytes, so that nothing is rounded on the way. */
const x = numbers([COUNT, 25]).map((each) => Math.round(127.5 * each + 127.5) / 127.5 - 1);
const label = Int32Array.of(0, 1, 0, 1, 0, 0, 1);
const samples = { shape: [COUNT, 1, 5, 5], x, condition: { label } };
const prompts = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
const files = memoryFiles({ prompts, gap: "one\n\nthree\n", few: "one\ntwo\n", none: "" });

function containerOf(data: DataShape, ...parts: ConfiguredPlugin[]) {
  return compose(data, ...parts)
    .value(BACKEND, backend, "the test")
    .value(DATA_FOLDER, { files }, "the test");
}
const judged = async (data: DataShape, ...parts: ConfiguredPlugin[]) => {
  const container = containerOf(data, ...parts);
  try {
    return await judgeSamples([container.all(METRICS)[0]], [samples]);
  } finally {
    await container.dispose();
  }
};
const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-5, `${a}, ${b}`);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;

/** The distance of samples i and j, both shifted and stretched. */
async function lpipsOf(pairs: readonly (readonly [number, number])[], range: "unit" | "signed"): Promise<number[]> {
  const vgg16 = extractorNamed(containerOf(shape, smallVgg()), "vgg16");
  const weights = await vgg16.load();
  const feed = new Feed();
  const of = (side: 0 | 1) =>
    feed.tensor(
      `side${side}`,
      [pairs.length, 1, 5, 5],
      pairs.flatMap((pair) =>
        [...x.subarray(25 * pair[side], 25 * pair[side] + 25)].map((v) => (range === "unit" ? (v + 1) / 2 : v)),
      ),
    );
  const distance = lpips(vgg16.bind(frozenScope(weights)), of(0), of(1));
  return [...(await evaluateOn(backend, { distance }, feed, [weights])).distance];
}

test("are well-formed plugins", () => {
  checkPlugin(plugins.lpipsDiversity, { by: "label", each: 10, range: "signed" });
  checkPlugin(plugins.featureDiversity, { extractor: "inception" });
  checkPlugin(plugins.clipScore, { template: "a photo of a {}", prefix: "" });
});

test("LPIPS of all pairs of three in a row, averaged over prompts; a rest of one has no pair", async () => {
  const found = await judged(shape, smallVgg(), plugins.lpipsDiversity({ each: 3, size: 0 }));
  const pairs = [0, 3].flatMap((first) => [
    [first, first + 1] as const,
    [first, first + 2] as const,
    [first + 1, first + 2] as const,
  ]);
  near(found["lpips-diversity"], mean(await lpipsOf(pairs, "unit")));
  assert.ok(found["lpips-diversity ±"] > 0);
});

test("LPIPS by class: the first two of each", async () => {
  const options = { by: "label", each: 2, size: 0, range: "signed" } as const;
  const found = await judged(shape, smallVgg(), plugins.lpipsDiversity(options));
  const pairs = [[0, 2] as const, [1, 3] as const];
  near(found["lpips-diversity"], mean(await lpipsOf(pairs, "signed")));
});

test("features by class: 1 less the cosine of the pairs, averaged in each class and then over classes", async () => {
  const dinov2 = smallExtractor("dinov2", "cls")();
  const found = await judged(shape, dinov2, plugins.featureDiversity({ each: 3, size: 0 }));
  const extractor = extractorNamed(containerOf(shape, dinov2), "dinov2");
  const network = await FrozenNetwork.open(backend, {
    weights: await extractor.load(),
    inputs: { x: { shape: shape.sample } },
    apply: (scope, inputs) => extractor.bind(scope).features(inputs.x),
    batch: COUNT,
  });
  const { cls } = await network.run({ x });
  const apart = (i: number, j: number) => {
    let [dot, a, b] = [0, 0, 0];
    for (let d = 0; d < 6; d++) {
      dot += cls[6 * i + d] * cls[6 * j + d];
      a += cls[6 * i + d] ** 2;
      b += cls[6 * j + d] ** 2;
    }
    return 1 - dot / Math.sqrt(a * b);
  };
  const [zero, one] = [mean([apart(0, 2), apart(0, 4), apart(2, 4)]), mean([apart(1, 3), apart(1, 6), apart(3, 6)])];
  near(found["feature-diversity"], (zero + one) / 2);
});

test("samples that are all alike have no diversity; too few of a kind, or no classes, are refused", async () => {
  const same = { ...samples, x: x.map((_, i) => x[i % 25]) };
  const container = containerOf(shape, smallExtractor("dinov2", "cls")(), plugins.featureDiversity({ each: 3 }));
  const [metric] = container.all(METRICS);
  near((await judgeSamples([metric], [same]))["feature-diversity"], 0);
  const lone = { shape: [2, 1, 5, 5], x: x.slice(0, 50), condition: { label: label.slice(0, 2) } };
  assert.match((await rejected(judgeSamples([metric], [lone]))).message, /there are no two of any/);
  const without = { ...samples, condition: {} };
  assert.match((await rejected(judgeSamples([metric], [without]))).message, /the samples have no classes/);
  await container.dispose();
});

test("CLIP score: the mean cosine between sample and prompt, the prefix before each", async () => {
  const towers = [smallExtractor("clip-vision", "embeds")(), smallEncoder()];
  const options = { prompts: "prompts", prefix: "see ", size: 0 };
  const found = await judged(shape, ...towers.toReversed(), plugins.clipScore(options));
  const container = containerOf(shape, ...towers);
  const [extractor, encoder] = [extractorNamed(container, "clip-vision"), encoderNamed(container, "clip-text")];
  const ids = await encoder.tokens(prompts.trim().split("\n"), "see ");
  const [images, texts] = [await extractor.load(), await encoder.load()];
  const feed = new Feed();
  const image = extractor.bind(frozenScope(images)).features(feed.tensor("x", [COUNT, 1, 5, 5], x)).embeds;
  const text = encoder.bind(frozenScope(texts)).encode(feed.tensor("ids", [COUNT, 8], ids, "i32")).embeds;
  const rows = await evaluateOn(backend, { image, text }, feed, [images, texts]);
  const cosines = Array.from({ length: COUNT }, (_, n) => {
    const [a, b] = [rows.image, rows.text].map((all) => [...all.subarray(6 * n, 6 * n + 6)]);
    const dot = (p: number[], q: number[]) => p.reduce((sum, each, i) => sum + each * q[i], 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  });
  near(found["clip-score"], mean(cosines));
});

test("CLIP score: prompts by the names of classes; what is missing is said", async () => {
  const towers = [smallExtractor("clip-vision", "embeds")(), smallEncoder()];
  const named = { ...shape, condition: classLabel(2, ["cat", "dog"]) };
  const byName = await judged(named, ...towers.toReversed(), plugins.clipScore({ template: "a {}", size: 0 }));
  const lines = [...label].map((each) => `a ${["cat", "dog"][each]}`).join("\n");
  files.contents.set("names", new TextEncoder().encode(lines));
  assert.equal(await judged(named, ...towers.toReversed(), plugins.clipScore({ prompts: "names", size: 0 })), byName);
  const readied = async (data: DataShape, options: Parameters<typeof plugins.clipScore>[0]) => {
    const container = containerOf(data, ...towers, plugins.clipScore(options));
    const error = await rejected(Promise.resolve().then(() => container.all(METRICS)[0].ready!()));
    await container.dispose();
    return error.message;
  };
  assert.match(await readied(shape, { template: "a {}" }), /the data do not name their classes/);
  assert.match(await readied(shape, { prompts: "gap" }), /gap: prompt 2 of 3 is empty/);
  assert.match(await readied(shape, { prompts: "none" }), /none: it has no prompts/);
  assert.match(thrown(() => containerOf(shape, ...towers, plugins.clipScore()).all(METRICS)).message, /prompts is not/);
  const few = judged(shape, ...towers.toReversed(), plugins.clipScore({ prompts: "few", size: 0 }));
  assert.match((await rejected(few)).message, /Cannot judge 7 samples by few: it has 2 prompts/);
});

test.run();
