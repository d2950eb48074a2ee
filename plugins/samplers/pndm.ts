import { PROCESS, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { add, mul, sub } from "../../core/ops/mod.ts";
import { boolean, definePlugin } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { type Ends, endsOf, inputOf, startOf, stridesOf, timestepOptions } from "./shared/timesteps.ts";

const { clip: _, ...options } = timestepOptions;

/**
 * Pseudo linear multistep on timesteps of the run's process, as SD 1.5 is published with it; x_t = a·x0 + b·ε, p the next timestep.
 *   ε = (x − a·D(x/a; b/a))/b;   x ← (a_p/a)·y + (b_p − a_p·b/a)·ε̄
 * ε̄ is ε in call 1; in call 2, which looks at the result of call 1 and starts again where that began, the mean of both; then, with the
 * stored ε newest first, (3, −1)/2, (23, −16, 5)/12 and (55, −59, 37, −9)/24. Call 2 is not stored. y is x, but in call 2 the start.
 * x [B, …], as the model sees it: N(0, I) at the start. NFE is one more than the steps.
 * Liu et al. 2022, arXiv:2202.09778, without its Runge–Kutta steps.
 */
export const pndm = definePlugin({
  name: "pndm",
  kind: "sampler",
  about: "Multistep method on the noise of the last four timesteps, as Stable Diffusion 1.5 comes with it",
  options: {
    ...options,
    endAtFirst: boolean({
      default: false,
      about: "the last step leads to timestep 0 instead of the clean sample, as SD has it",
    }),
  },
  create({ endAtFirst, ...options }, container): Sampler {
    const process = container.get(PROCESS);
    const end = endAtFirst ? process.sigmas?.[0] : 0;
    const ends = endsOf("pndm", process, stridesOf("pndm", process, options), end);
    const [first, ...others] = ends;
    const call = (at: Ends["from"], { from, to }: Ends, factors: readonly number[], isSecond = false) => ({
      rule: pndmStep,
      values: {
        ...inputOf(at),
        signal: at.signal,
        inverse: 1 / at.noise,
        keep: to.signal / from.signal,
        drift: to.noise - (to.signal * from.noise) / from.signal,
        fresh: isSecond ? 0 : 1,
        ...Object.fromEntries(NAMES.map((_, k) => [`f${k + 1}`, factors[k + 1] ?? 0])),
        f0: factors[0],
      },
    });
    const steps = [
      { ...call(first.from, first, [1]), rule: pndmStart },
      ...(others.length > 0 ? [call(others[0].from, first, [1 / 2, 1 / 2], true)] : []),
      ...others.map((each, i) => call(each.from, each, FACTORS[Math.min(i, FACTORS.length - 1)])),
    ];
    return { ...startOf(process, ends), steps, carried: [...NAMES, "start"] };
  },
});

/** Stored ε before this one, newest first. */
const NAMES = ["noise1", "noise2", "noise3"];

/** Adams and Bashforth's factors of two, three and four ε, newest first. */
const FACTORS = [
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];

type Values = Parameters<SamplerRule>[1];
const noiseIn = (x: Tensor, { sigma, widen, signal, inverse }: Values, model: Parameters<SamplerRule>[2]): Tensor =>
  mul(sub(x, mul(signal, model.denoise(mul(x, widen), sigma))), inverse);

/** The first call, which every carried tensor begins with. */
const pndmStart: SamplerRule = (x, values, model) => {
  const eps = noiseIn(x, values, model);
  const carried = Object.fromEntries(NAMES.map((name) => [name, eps]));
  return { x: add(mul(values.keep, x), mul(values.drift, eps)), carried: { ...carried, start: x } };
};

/** All other calls are one program: `fresh` is 0 in call 2, which stores nothing and moves the start. */
const pndmStep: SamplerRule = (x, values, model, carried) => {
  const { fresh } = values;
  const chosen = (own: Tensor, other: Tensor) => add(mul(fresh, own), mul(sub(1, fresh), other));
  const eps = noiseIn(x, values, model);
  const mean = NAMES.reduce((sum, name, k) => add(sum, mul(values[`f${k + 1}`], carried[name])), mul(values.f0, eps));
  const line = [eps, ...NAMES.map((name) => carried[name])];
  return {
    x: add(mul(values.keep, chosen(x, carried.start)), mul(values.drift, mean)),
    carried: Object.fromEntries(NAMES.map((name, k) => [name, chosen(line[k], carried[name])])),
  };
};
