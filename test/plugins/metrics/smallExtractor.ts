import { EXTRACTORS, type Extractor } from "../../../core/interfaces/mod.ts";
import { frozenWeights, linear, type Scope } from "../../../core/nn/mod.ts";
import { input, reshape, tanh } from "../../../core/ops/mod.ts";
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
