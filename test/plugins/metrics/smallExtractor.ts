import { ENCODERS, type Encoder, EXTRACTORS, type Extractor } from "../../../core/interfaces/mod.ts";
import { conv, frozenWeights, linear, type Scope } from "../../../core/nn/mod.ts";
import { constantArray, input, reshape, tanh, toFloat } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

const WIDTH = 6;

/** A small network in the place of the extractor of that name, with these features, all the same; `spatial` is a map of them. */
export const smallExtractor = (name: string, ...names: readonly string[]) =>
  definePlugin({
    name,
    kind: "extractor",
    token: EXTRACTORS,
    about: `a small network in the place of ${name}`,
    options: {},
    create(): Extractor {
      const features = (scope: Scope, x: Tensor) => {
        const made = tanh(linear(scope, reshape(x, [x.shape[0], -1]), WIDTH));
        const map = reshape(made, [-1, 1, 2, WIDTH / 2]);
        return Object.fromEntries(names.map((each) => [each, each === "spatial" ? map : made]));
      };
      return {
        name,
        reads: { channels: [1], smallest: 1, size: 5 },
        widths: Object.fromEntries(names.map((each) => [each, each === "spatial" ? 1 : WIDTH])),
        bind: (scope) => ({ features: (x) => features(scope, x) }),
        async load() {
          const weight = Float32Array.from({ length: WIDTH * 25 }, (_, i) => Math.sin(i * 12.9898) / 5);
          const tensors = {
            weight: { shape: [WIDTH, 25], data: weight },
            bias: { shape: [WIDTH], data: new Float32Array(WIDTH) },
          };
          return frozenWeights(name, (scope) => void features(scope, input("x", [1, 1, 5, 5])), tensors, "a test");
        },
      };
    },
  });

/** Called as Inception is, with features of the same names and few numbers. */
export const smallInception = smallExtractor("inception", "pool3", "logits", "logitsWithoutBias", "spatial");

const values = (shape: readonly number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(1 + i * 12.9898) / 3),
});

/** Called as VGG-16 is, one convolution with channel weights. */
export const smallVgg = definePlugin({
  name: "vgg16",
  kind: "extractor",
  token: EXTRACTORS,
  about: "a small network in the place of vgg16",
  options: {},
  create(): Extractor {
    const features = (scope: Scope, x: Tensor) => ({ first: tanh(conv(scope, x, 4)) });
    const tensors = { weight: values([4, 1, 3, 3]), bias: values([4]) };
    return {
      name: "vgg16",
      reads: { channels: [1], smallest: 3 },
      widths: { first: 4 },
      bind: (scope) => ({
        features: (x) => features(scope, x),
        channelWeights: () => ({ first: constantArray([1, 0.5, 2, 0], [1, 4, 1, 1]) }),
      }),
      load: async () =>
        frozenWeights("vgg16", (scope) => void features(scope, input("x", [1, 1, 4, 4])), tensors, "a test"),
    };
  },
});

/** Called as CLIP's text tower is: what it says of a text follows from its first letters. */
export const smallEncoder = definePlugin({
  name: "clip-text",
  kind: "encoder",
  token: ENCODERS,
  about: "a small network in the place of clip-text",
  options: {},
  create(): Encoder {
    const encode = (scope: Scope, ids: Tensor) => ({ embeds: tanh(linear(scope, toFloat(ids), WIDTH)) });
    const tensors = { weight: values([WIDTH, 8]), bias: values([WIDTH]) };
    return {
      name: "clip-text",
      context: 8,
      widths: { embeds: WIDTH },
      tokens: async (texts, prefix = "") =>
        Int32Array.from(
          texts.flatMap((text) => Array.from({ length: 8 }, (_, i) => ((prefix + text).charCodeAt(i) || 0) % 3)),
        ),
      bind: (scope) => ({ encode: (ids) => encode(scope, ids) }),
      load: async () =>
        frozenWeights("clip-text", (scope) => void encode(scope, input("ids", [1, 8], "i32")), tensors, "a test"),
    };
  },
});
