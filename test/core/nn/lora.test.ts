import { suite } from "uvu";
import * as assert from "uvu/assert";
import { conv, initialise, isLora, layoutOf, linear, type Scope, unpackArenas } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { evaluate, Feed, numbers } from "../../plugins/support.ts";

const test = suite("core/nn/lora");

const adapter = { rank: 2, alpha: 6, targets: ["to_q", "net.0"] };

test("only the layers named get a path, by whole words at the end of their names", () => {
  const x = input("x", [1, 3]);
  const { entries, count } = layoutOf((given) => {
    const scope = given.adapted(adapter);
    for (const name of ["to_q", "into_q", "to_q_norm"]) linear(scope.at("a").at(name), x, 2);
    linear(scope.at("net").at(0), x, 2);
    linear(scope.at("net").at(1), x, 2);
  });
  const adapters = entries.filter(({ name }) => isLora(name));
  assert.equal(
    adapters.map(({ name, shape }) => `${name} [${shape}]`),
    [
      "a.to_q.lora_A.default.weight [2,3]",
      "a.to_q.lora_B.default.weight [2,2]",
      "net.0.lora_A.default.weight [2,3]",
      "net.0.lora_B.default.weight [2,2]",
    ],
  );
  assert.equal(
    entries.filter(({ init }) => !init.frozen),
    adapters,
    "everything else stays as it is",
  );
  assert.is(count, 2 * (2 * 3 + 2 * 2));
  assert.not.ok(isLora("lora_Aside.weight"));
});

test("a new adapter changes nothing: B starts at zero, A at ±1/√fan-in", async () => {
  const feed = new Feed();
  const layer = (scope: Scope) => conv(scope.at("conv1"), input("x", [1, 3, 4, 4]), 2);
  const adapted = (scope: Scope) => layer(scope.adapted({ ...adapter, targets: ["conv1"] }));
  const layout = layoutOf(adapted);
  const start = unpackArenas(layout, initialise(layout, 1));
  const A = start["conv1.lora_A.default.weight"];
  assert.equal(A.shape, [2, 3, 3, 3]);
  assert.ok(A.data.every((a) => Math.abs(a) <= 1 / Math.sqrt(27)) && A.data.some((a) => a !== 0));
  const { scope } = feed.weights("", (name) => start[name].data);
  feed.tensor("x", [1, 3, 4, 4], numbers([48]));
  const { plain, tuned } = await evaluate({ plain: layer(scope), tuned: adapted(scope) }, feed);
  assert.equal(tuned, plain);
});

/** Both ways to add a path: beside the layer, or to its weight. */
async function agrees(shape: number[], layer: (scope: Scope, x: Tensor) => Tensor, outputs: number): Promise<void> {
  const [rank, alpha] = [2, 6];
  const inputs = shape.slice(1).reduce((a, b) => a * b);
  const [W, A, B] = [
    [outputs, inputs],
    [rank, inputs],
    [outputs, rank],
  ].map((s, i) => numbers(s, i));
  // W + (alpha/rank)·B·A, by hand
  const merged = W.map((w, i) => {
    const [o, k] = [Math.floor(i / inputs), i % inputs];
    let product = 0;
    for (let r = 0; r < rank; r++) product += B[o * rank + r] * A[r * inputs + k];
    return w + (alpha / rank) * product;
  });
  const feed = new Feed();
  const values = { weight: W, "lora_A.default.weight": A, "lora_B.default.weight": B };
  const beside = feed.weights("", (name) => values[name.slice(2) as keyof typeof values]);
  const inside = feed.weights("merged.", () => merged);
  const x = feed.tensor(
    "x",
    shape.length === 2 ? [4, inputs] : [2, shape[1], 5, 4],
    numbers([200]).slice(0, shape.length === 2 ? 4 * inputs : 40 * shape[1]),
  );
  const tuned = layer(beside.scope.adapted({ rank, alpha, targets: ["l"] }).at("l"), x);
  const out = await evaluate({ tuned, same: layer(inside.scope.at("l"), x) }, feed);
  out.tuned.forEach((value, i) => {
    assert.ok(Math.abs(value - out.same[i]) < 1e-5, `${value}, not ${out.same[i]}`);
  });
}

test("linear: x·(W + alpha/rank·B·A)ᵀ", () => agrees([3, 5], (scope, x) => linear(scope, x, 3, { bias: false }), 3));

test("conv: A takes kernel, stride and padding of the layer, B is 1×1", () =>
  agrees([3, 2, 3, 3], (scope, x) => conv(scope, x, 3, { stride: 2, bias: false }), 3));

test.run();
