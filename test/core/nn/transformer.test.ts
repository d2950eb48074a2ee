import { suite } from "uvu";
import * as assert from "uvu/assert";
import { gegluFeedForward, layoutOf, type Scope, tokenAttention, transformerBlock } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { evaluate, Feed, numbers } from "../../plugins/support.ts";

const test = suite("core/nn/transformer");

const parametersOf = (layer: (scope: Scope) => unknown): string[] =>
  layoutOf((scope) => void layer(scope)).entries.map(({ name, shape }) => `${name} [${shape}]`);
const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-5, `${a}, not ${b}`);

test("transformerBlock: names and shapes of diffusers; keys and values have the text's width", () => {
  const [x, text] = [input("x", [1, 6, 4]), input("text", [1, 3, 5])];
  const attention = (name: string, width: number) => [
    `${name}.to_q.weight [4,4]`,
    `${name}.to_k.weight [4,${width}]`,
    `${name}.to_v.weight [4,${width}]`,
    `${name}.to_out.0.weight [4,4]`,
    `${name}.to_out.0.bias [4]`,
  ];
  const norms = [1, 2, 3].flatMap((i) => [`norm${i}.weight [4]`, `norm${i}.bias [4]`]);
  assert.equal(
    parametersOf((scope) => transformerBlock(scope, x, 2, text)).sort(),
    [
      ...norms,
      ...attention("attn1", 4),
      ...attention("attn2", 5),
      "ff.net.0.proj.weight [32,4]",
      "ff.net.0.proj.bias [32]",
      "ff.net.2.weight [4,16]",
      "ff.net.2.bias [4]",
    ].sort(),
  );
});

test("tokenAttention: one token of context is what every token gets, whatever it asks", async () => {
  const feed = new Feed();
  const [v, out] = [numbers([12]), numbers([16], 1)];
  const { scope } = feed.weights("", (name) => {
    if (name === "to_v.weight") return v;
    if (name === "to_out.0.weight") return out;
    return numbers([16], 2).slice(0, name.endsWith("bias") ? 4 : name === "to_k.weight" ? 12 : 16);
  });
  const x = feed.tensor("x", [1, 2, 4], numbers([8], 3));
  const context = [0.5, -1, 2];
  const y = tokenAttention(scope, x, 2, feed.tensor("context", [1, 1, 3], context));
  const value = [0, 1, 2, 3].map((i) => context.reduce((sum, c, k) => sum + c * v[3 * i + k], 0));
  const bias = numbers([16], 2);
  const expected = [0, 1, 2, 3].map((o) => value.reduce((sum, each, i) => sum + each * out[4 * o + i], bias[o]));
  const result = await evaluate({ y }, feed);
  result.y.forEach((each, i) => {
    close(each, expected[i % 4]);
  });
});

test("tokenAttention: heads are neighbouring channels, each with softmax(q·k/√d)", async () => {
  const feed = new Feed();
  const identity = Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
  const { scope } = feed.weights("", (name) => (name.endsWith("bias") ? [0, 0, 0, 0] : identity));
  const tokens = [
    [1, 2, -1, 0.5],
    [0.3, -1, 2, 1],
  ];
  const y = tokenAttention(scope, feed.tensor("x", [1, 2, 4], tokens.flat()), 2);
  const { y: found } = await evaluate({ y }, feed);
  for (const [n, query] of tokens.entries())
    for (const head of [0, 2]) {
      const score = tokens.map((key) =>
        Math.exp((query[head] * key[head] + query[head + 1] * key[head + 1]) / Math.SQRT2),
      );
      const total = score[0] + score[1];
      for (const c of [head, head + 1])
        close(found[4 * n + c], (score[0] * tokens[0][c] + score[1] * tokens[1][c]) / total);
    }
});

test("gegluFeedForward: the first half, times gelu of the second", async () => {
  const feed = new Feed();
  // D = 1: proj makes (a, g) of 4 numbers each; net.2 sums the first of them.
  const { scope } = feed.weights("", (name) => {
    if (name === "net.0.proj.weight") return [3, 0, 0, 0, 1, 0, 0, 0];
    if (name === "net.2.weight") return [1, 1, 1, 1];
    return new Array(name === "net.2.bias" ? 1 : 8).fill(0);
  });
  const y = gegluFeedForward(scope, feed.tensor("x", [2, 1], [1, -1]));
  const { y: found } = await evaluate({ y }, feed);
  const phi = 0.8413447460685429; // Φ(1)
  close(found[0], 3 * phi);
  close(found[1], -3 * -(1 - phi));
});

test.run();
