import { classesOf, DATA_SHAPE, definePlugin, type Network, nn, number, ops, sizeOf } from "onestep";

const { add, reshape, silu, takeRows } = ops;

/** h ← h + W silu(h) + b, three times, from a sum of what point, noise level and class say. x [B, …], features [B, width]. */
export default definePlugin({
  name: "residual",
  kind: "network",
  about: "Multilayer perceptron with residual connections",
  options: { width: number({ default: 64, min: 1, integer: true, about: "units of each layer" }) },
  create({ width }, container) {
    const shape = container.get(DATA_SHAPE);
    const size = sizeOf(shape.sample);
    const features: Network["features"] = (scope, x, cNoise, { label }) => {
      const level = nn.linear(scope.at("level"), nn.sinusoid(cNoise, [1, 2, 4, 8]), width);
      let h = add(nn.linear(scope.at("in"), reshape(x, [x.shape[0]!, size]), width), level);
      if (label) h = add(h, takeRows(scope.parameter("label", [classesOf(shape), width], nn.normal(1)), label));
      for (const i of [0, 1, 2]) h = add(h, nn.linear(scope.at("block").at(i), silu(h), width));
      return h;
    };
    const apply: Network["apply"] = (scope, x, cNoise, condition) =>
      reshape(nn.linear(scope.at("out"), silu(features(scope, x, cNoise, condition)), size), x.shape);
    return { apply, features };
  },
});
