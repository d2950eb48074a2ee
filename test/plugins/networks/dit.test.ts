import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { classLabel, type DataShape, DROPOUT, NETWORK } from "../../../core/interfaces/mod.ts";
import { decodeSafetensors, toFloat32 } from "../../../core/io/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { mul, sum } from "../../../core/ops/mod.ts";
import { testNetwork } from "../../../core/testing/mod.ts";
import { dit } from "../../../plugins/networks/dit.ts";
import { evaluateOn } from "../../conformance/feed.ts";
import { FLOAT32_TOLERANCE, largestError } from "../../helpers/close.ts";
import { projectRoot } from "../../helpers/golden.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/networks/dit");

type Options = NonNullable<Parameters<typeof dit>[0]>;
const wasm = await WasmBackend.open();
const latents = { sample: [4, 32, 32], condition: classLabel(1000), sigmaData: 1 };
const small: DataShape = { sample: [2, 4, 6], condition: classLabel(3), sigmaData: 1 };
const tiny = { width: 8, heads: 2, depth: 3 } as const;
const networkOf = (shape: DataShape, options: Options) => compose(shape, dit(options)).get(NETWORK);

function layout(shape: DataShape, options: Options) {
  const { x, sigma, condition } = placeholders(shape);
  return layoutOf((scope) => networkOf(shape, options).apply(scope, x, sigma, condition));
}

test("DiT-XL/2, L/2, B/2 and S/2: 675, 458, 131 and 33 million parameters, and the official names", () => {
  const sizes: [Options, number][] = [
    [{}, 675_129_632],
    [{ width: 1024, depth: 24 }, 458_102_816],
    [{ width: 768, depth: 12, heads: 12 }, 130_512_416],
    [{ width: 384, depth: 12, heads: 6 }, 32_963_360],
  ];
  for (const [options, expected] of sizes) {
    const { count, derived = [] } = layout(latents, { ...options, learnSigma: true });
    assert.equal(
      derived.map(({ name }) => name),
      ["pos_embed"],
    );
    assert.is(count + derived[0].data.length, expected);
  }
  const { entries } = layout(latents, { learnSigma: true });
  const shapes = Object.fromEntries(entries.map(({ name, shape }) => [name, shape.join()]));
  assert.is(entries.length, 7 + 28 * 10 + 4);
  assert.is(shapes["x_embedder.proj.weight"], "1152,4,2,2");
  assert.is(shapes["y_embedder.embedding_table.weight"], "1001,1152");
  assert.is(shapes["blocks.27.adaLN_modulation.1.weight"], "6912,1152");
  assert.is(shapes["final_layer.linear.weight"], "32,1152");
});

const stored = decodeSafetensors(
  readFileSync(join(projectRoot(), "test/plugins/networks/dit.safetensors")),
  "dit.safetensors",
).tensors;
const values = (name: string) => toFloat32(stored[name]);

for (const [what, backend, tolerance] of [
  ["the oracle", new ReferenceBackend("f64"), 1e-6],
  ["wasm", wasm, FLOAT32_TOLERANCE],
] as const)
  test(`a network in PyTorch: result, activations and gradients on ${what}`, async () => {
    const feed = new Feed();
    const weights = feed.weights("w.", (name) => values(`w.${name}`));
    const x = feed.tensor("x", [3, 2, 4, 6], values("x"));
    const time = feed.tensor("time", [3], [0, 417, 999]);
    const condition = feed.label("label", [2, 0, 3]);
    const inputs = [weights.scope, x, time, condition] as const;
    const out = networkOf(small, { ...tiny, learnSigma: true }).apply(...inputs);
    const taps = [1, 2, 3].map((tap) => [`after.${tap}`, networkOf(small, { ...tiny, tap }).features(...inputs)]);
    const pulled = sum(mul(out, feed.tensor("pull", out.shape, values("pull"))));
    const named = [["x", x] as const, ...[...weights.tensors].map(([name, each]) => [`w.${name}`, each] as const)];
    const gradients = grad(
      pulled,
      named.map(([, each]) => each),
    );
    const found = await evaluateOn(
      backend,
      { out, ...Object.fromEntries([...taps, ...named.map(([name], i) => [`grad.${name}`, gradients[i]])]) },
      feed,
    );
    assert.is(Object.keys(found).filter((name) => name.startsWith("grad.")).length, 1 + 7 + 3 * 10 + 4);
    for (const [name, each] of Object.entries(found)) {
      const error = largestError(each, values(name));
      assert.ok(error < tolerance, `${name}: ${error}`);
    }
  });

test("pos_embed follows from the options, as in the official code", () => {
  const [{ shape, data }] = layout(small, tiny).derived!;
  assert.equal(shape, [1, 6, 8]);
  assert.ok(largestError(data, values("positions")) < 1e-7);
});

test("a sample without a class takes the last row, as one that is dropped does", async () => {
  const feed = new Feed();
  const network = networkOf(small, { ...tiny, labelDropout: 1 });
  const { scope } = feed.weights("w.", (name) => values(`w.${name}`));
  const x = feed.tensor("x", [3, 2, 4, 6], values("x"));
  const time = feed.tensor("time", [3], [0, 417, 999]);
  const features = (condition: Parameters<typeof network.apply>[3]) => network.features(scope, x, time, condition);
  const { none, last, own, dropped } = await evaluate(
    {
      none: features({}),
      last: features(feed.label("last", [3, 3, 3])),
      own: features(feed.label("own", [0, 1, 2])),
      dropped: features({ ...feed.label("other", [0, 1, 2]), [DROPOUT]: feed.noise() }),
    },
    feed,
  );
  assert.equal(none, last);
  assert.equal(dropped, last);
  assert.ok(largestError(own, last) > 0.01);
});

test("begins as a network that says 0", async () => {
  const feed = new Feed();
  const network = networkOf(small, tiny);
  const { x, sigma, condition } = placeholders(small);
  const { scope } = feed.fresh("w.", (own) => void network.apply(own, x, sigma, condition));
  const image = feed.tensor("image", [2, 2, 4, 6], numbers([96]));
  const label = feed.label("label", [0, 2]);
  const { out } = await evaluate({ out: network.apply(scope, image, feed.tensor("t", [2], [1, 500]), label) }, feed);
  assert.ok(out.every((value) => value === 0));
});

test("keeps the promises of a network, with classes and without", async () => {
  const backends = [new ReferenceBackend("f64"), wasm];
  const options = { width: 8, heads: 2, depth: 2, mlpRatio: 1 };
  await testNetwork(dit(options), { shape: { ...small, sample: [1, 4, 4] }, backends });
  await testNetwork(dit({ ...options, depth: 1, labelDropout: 0 }), {
    shape: { sample: [1, 2, 4], condition: {}, sigmaData: 1 },
    backends,
  });
});

test("refuses sizes that do not divide, and samples that are no images", () => {
  const refused = (options: Options, shape: DataShape = small) => thrown(() => networkOf(shape, options));
  assert.is(
    refused({ ...tiny, patch: 4 }).message,
    "Cannot configure dit: patch is 4, should divide the height and width of samples, 4 and 6",
  );
  assert.match(refused({ ...tiny, heads: 3 }).message, /width is 8 and heads 3, width should be a multiple/);
  assert.match(refused({ ...tiny, tap: 4 }).message, /tap is 4, should be at most depth, 3/);
  assert.match(refused(tiny, { ...small, sample: [5] }).message, /samples are \[5\], should be images/);
});

test.run();
