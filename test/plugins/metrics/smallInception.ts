import { EXTRACTORS, type Extractor } from "../../../core/interfaces/mod.ts";
import { frozenWeights, linear, type Scope } from "../../../core/nn/mod.ts";
import { input, reshape, tanh } from "../../../core/ops/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

const WIDTH = 6;

/** Called as Inception is, with features of the same names and few numbers. */
export const smallInception = definePlugin({
  name: "inception",
  kind: "extractor",
  token: EXTRACTORS,
  about: "a small network in Inception's place",
  options: {},
  create(): Extractor {
    const features = (scope: Scope, x: Tensor) => {
      const pool3 = tanh(linear(scope, reshape(x, [x.shape[0], -1]), WIDTH));
      return { pool3, logits: pool3, logitsWithoutBias: pool3, spatial: reshape(pool3, [-1, 1, 2, WIDTH / 2]) };
    };
    return {
      name: "inception",
      reads: { channels: [1], smallest: 1, size: 5 },
      widths: { pool3: WIDTH, logits: WIDTH, logitsWithoutBias: WIDTH, spatial: 1 },
      bind: (scope) => ({ features: (x) => features(scope, x) }),
      async load() {
        const weight = Float32Array.from({ length: WIDTH * 25 }, (_, i) => Math.sin(i * 12.9898) / 5);
        const tensors = {
          weight: { shape: [WIDTH, 25], data: weight },
          bias: { shape: [WIDTH], data: new Float32Array(WIDTH) },
        };
        return frozenWeights("inception", (scope) => void features(scope, input("x", [1, 1, 5, 5])), tensors, "a test");
      },
    };
  },
});
