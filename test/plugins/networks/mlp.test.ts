import { suite } from "uvu";
import * as assert from "uvu/assert";
import { placeholders } from "../../../core/diffusion/mod.ts";
import { type Condition, classLabel, type DataShape, DROPOUT, NETWORK } from "../../../core/interfaces/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/networks/mlp");

const points: DataShape = { sample: [2], condition: {}, sigmaData: 0.7 };
const labelled: DataShape = { sample: [2, 3], condition: classLabel(4), sigmaData: 0.7 };

function parts(shape: DataShape, options: Parameters<typeof mlp>[0]) {
  const network = compose(shape, mlp(options)).get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return { network, layout: layoutOf((scope) => network.apply(scope, x, sigma, condition)) };
}

test("the recipe's network has 68,738 parameters, named as PyTorch's Sequential", () => {
  const { layout } = parts(points, {});
  assert.is(layout.count, 68_738);
  assert.equal(
    layout.entries.map(({ name }) => name).filter((name) => name.endsWith("weight")),
    ["net.0.weight", "net.2.weight", "net.4.weight", "net.6.weight", "net.8.weight", "out.weight"],
  );
  assert.equal(layout.entries[0].shape, [128, 18]);
});

test("computes silu layers on [x, cos f·c, sin f·c]", async () => {
  const { network } = parts(points, { width: 3, depth: 1, bands: 2 });
  const feed = new Feed();
  const values: Record<string, number[]> = {
    "net.0.weight": [...numbers([3, 6])],
    "net.0.bias": [0.1, -0.2, 0.3],
    "out.weight": [...numbers([2, 3], 1)],
    "out.bias": [0.5, -0.5],
  };
  const { scope } = feed.weights("", (name) => values[name]);
  const [x, c] = [[0.4, -1.2], 0.3];
  const tensors = [feed.tensor("x", [1, 2], x), feed.tensor("c", [1], [c])] as const;
  const F = network.apply(scope, ...tensors, {});
  const features = network.features(scope, ...tensors, {});
  const result = await evaluate({ F, features }, feed, "f64");
  const u = [...x, Math.cos(c), Math.cos(16 * c), Math.sin(c), Math.sin(16 * c)];
  const affine = (w: number[], b: number[], v: number[]) =>
    b.map((bias, i) => v.reduce((sum, each, j) => sum + each * w[i * v.length + j], bias));
  const h = affine(values["net.0.weight"], values["net.0.bias"], u).map((a) => a / (1 + Math.exp(-a)));
  const y = affine(values["out.weight"], values["out.bias"], h);
  for (const [i, value] of h.entries()) assert.ok(Math.abs(result.features[i] - value) < 1e-6);
  for (const [i, value] of y.entries()) assert.ok(Math.abs(result.F[i] - value) < 1e-6);
});

test("a class that training drops is none at all; drawing never drops one", async () => {
  const { network } = parts(labelled, { width: 8, depth: 1, labelDropout: 1 });
  const feed = new Feed();
  const declared = placeholders(labelled);
  const { scope } = feed.fresh("", (inner) => network.apply(inner, declared.x, declared.sigma, declared.condition));
  const noisy = [feed.tensor("x", [2, 2, 3], numbers([2, 2, 3])), feed.tensor("c", [2], [0.3, 0.6])] as const;
  const label = feed.label("label", [1, 3]);
  const conditions = { none: {}, asked: label, dropped: { ...label, [DROPOUT]: feed.noise() } };
  const said = (condition: Condition) => network.apply(scope, ...noisy, condition);
  const { none, asked, dropped } = await evaluate(
    { none: said(conditions.none), asked: said(conditions.asked), dropped: said(conditions.dropped) },
    feed,
  );
  assert.ok(network.knowsNoClass);
  assert.equal(dropped, none);
  assert.not.equal(asked, none);
});

test("with classes, a label changes the answer, and none is a zero embedding", async () => {
  const { network, layout } = parts(labelled, { width: 8, depth: 2, labelWidth: 4 });
  assert.equal(layout.entries.find(({ name }) => name === "label.weight")?.shape, [4, 4]);
  assert.equal(layout.entries.find(({ name }) => name === "net.0.weight")?.shape, [8, 26]);
  const feed = new Feed();
  const declared = placeholders(labelled);
  const { scope } = feed.fresh("", (inner) => network.apply(inner, declared.x, declared.sigma, declared.condition));
  const x = feed.tensor("input", [2, 2, 3], [...numbers([2, 3]), ...numbers([2, 3])]);
  const c = feed.tensor("c", [2], [0.3, 0.3]);
  const F = network.apply(scope, x, c, feed.label("classes", [0, 3]));
  const none = network.apply(scope, x, c, {});
  const result = await evaluate({ F, none }, feed);
  assert.equal(F.shape, [2, 2, 3]);
  const [first, second] = [result.F.subarray(0, 6), result.F.subarray(6)];
  assert.ok(first.some((value, i) => Math.abs(value - second[i]) > 1e-4));
  assert.equal([...result.none.subarray(0, 6)], [...result.none.subarray(6)]);
});

test.run();
