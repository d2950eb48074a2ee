import { addNoise, definePlugin, number, ops } from "onestep";

const { add, constant, mean, sqrt, square, sub } = ops;

/** Keeps samples near what the teacher makes of them: L = mean √((x − sg[D_real(x + ½ε; ½)])² + 10⁻⁶), x [B, …]. */
export default definePlugin({
  name: "charbonnier",
  kind: "loss",
  about: "Charbonnier distance from generated samples to what the teacher makes of them",
  options: { weight: number({ default: 0.1, min: 0, about: "factor in the total" }) },
  create: ({ weight }) => ({
    name: "charbonnier",
    role: "generator",
    weight,
    compute({ generated: { x, condition }, teacher, noise }) {
      const sigma = constant(0.5, "f32", [x.shape[0]!]);
      const guess = teacher.denoise(addNoise(x, sigma, noise.normalLike(x)), sigma, condition);
      return mean(sqrt(add(square(sub(x, ops.stopGradient(guess))), 1e-6)));
    },
  }),
});
