import { definePlugin, karrasSigmas, number, ops, PROCESS, type SamplerRule } from "onestep";

const { add, div, mul, sub } = ops;

/** Midpoint method: d at σ leads to the middle m = (σ + σ')/2, whose slope leads from x to σ'. x [B, …]. NFE 2N. */
export default definePlugin({
  name: "midpoint",
  kind: "sampler",
  about: "Second-order steps by the slope in the middle, two network calls each",
  options: { steps: number({ default: 18, min: 1, integer: true, about: "number of steps N" }) },
  create({ steps }, container) {
    const sigmas = [...karrasSigmas(steps, { sigmaMin: 0.002, sigmaMax: 80 }), 0];
    const values = sigmas.slice(1).map((next, i) => ({ sigma: sigmas[i]!, next }));
    const startScale = container.get(PROCESS).start(sigmas[0]!);
    return { sigmaMax: sigmas[0]!, startScale, steps: values.map((each) => ({ rule: midpointStep, values: each })) };
  },
});

const midpointStep: SamplerRule = (x, values, model) => {
  const [sigma, next] = [values.sigma!, values.next!];
  const middle = mul(add(sigma, next), 0.5);
  const halfway = add(x, mul(sub(middle, sigma), div(sub(x, model.denoise(x, sigma)), sigma)));
  const slope = div(sub(halfway, model.denoise(halfway, middle)), middle);
  return add(x, mul(sub(next, sigma), slope));
};
