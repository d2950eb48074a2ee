import { classesOf, DATA_SHAPE, DROPOUT, type Network } from "../../core/interfaces/mod.ts";
import { linear, normal, sinusoid } from "../../core/nn/mod.ts";
import { concat, constant, less, reshape, silu, takeRows, where } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { sizeOf, type Tensor } from "../../core/tensor/mod.ts";
import { addScalarEntries } from "./shared/scalarEntries.ts";

/**
 * A multilayer perceptron for points and other small vectors.
 *   u = [x, cos(f·cNoise), sin(f·cNoise), label embedding],  f = 2^linspace(0, 4, bands)
 *   h = silu(W_i h + b_i), `depth` times from h = u;   F = W h + b
 * x [B, …], cNoise [B] → [B, …]; features are the last h [B, width]. The label embedding [labelWidth] is there for data
 * with classes only, and zero where no label is given. Parameters `net.0`, `net.2`, … `out`, `label`. A guidance scale and a
 * second level join before the first silu (scalarEntries.ts).
 */
export const mlp = definePlugin({
  name: "mlp",
  kind: "network",
  about: "Multilayer perceptron for points: SiLU layers on the point and a sinusoidal noise embedding",
  options: {
    width: number({ default: 128, min: 1, integer: true, about: "units of each hidden layer" }),
    depth: number({ default: 5, min: 1, integer: true, about: "number of hidden layers" }),
    bands: number({
      default: 8,
      min: 1,
      integer: true,
      about: "frequencies of the noise embedding, 1 to 16 in equal ratios",
    }),
    labelWidth: number({
      default: 16,
      min: 1,
      integer: true,
      about: "width of the class embedding, for data with classes",
    }),
    labelDropout: number({
      default: 0,
      min: 0,
      max: 1,
      about: "probability that a sample's class is dropped in training, for guidance without classifier",
    }),
  },
  create({ width, depth, bands, labelWidth, labelDropout }, container): Network {
    const shape = container.get(DATA_SHAPE);
    const { sample } = shape;
    const classes = classesOf(shape);
    const size = sizeOf(sample);
    const frequencies = Array.from({ length: bands }, (_, i) => 2 ** (bands === 1 ? 0 : (4 * i) / (bands - 1)));
    const embedLevel = (c: Tensor) => sinusoid(c, frequencies);
    const features: Network["features"] = (scope, x, cNoise, condition) => {
      const B = x.shape[0];
      const { label, [DROPOUT]: draws } = condition;
      const parts = [reshape(x, [B, size]), embedLevel(cNoise)];
      if (classes > 0) {
        const embedded = label
          ? takeRows(scope.at("label").parameter("weight", [classes, labelWidth], normal(1)), label)
          : constant(0, "f32", [B, labelWidth]);
        const drops = labelDropout > 0 && draws;
        parts.push(drops ? where(less(draws.uniform([B, 1]), labelDropout), 0, embedded) : embedded);
      }
      const layer = (i: number, h: Tensor) => linear(scope.at("net").at(2 * i), h, width);
      let h = silu(addScalarEntries(scope, layer(0, concat(parts, 1)), condition, embedLevel));
      for (let i = 1; i < depth; i++) h = silu(layer(i, h));
      return h;
    };
    return {
      features,
      knowsNoClass: labelDropout > 0,
      apply: (scope, x, cNoise, condition) =>
        reshape(linear(scope.at("out"), features(scope, x, cNoise, condition), size), x.shape),
    };
  },
});
