import { PROCESS, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { add, div, mul, sub } from "../../core/ops/mod.ts";
import { boolean, choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { type SolverMethod, solverFactors } from "./shared/dpmSolverFactors.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { named, noised } from "./shared/rules.ts";

/**
 * DPM-Solver++ and DPM-Solver, multistep: x ← keep·x + Σ_k f_k m_k + rise·ε, where m_k are the predictions of this step and
 * of the last ones: the clean sample D (++), or ε = (x − D)/σ. The factors are in dpmSolverFactors.ts.
 * x [B, …]. NFE N. Lu et al. 2022, arXiv:2211.01095; with eta 1 its SDE of section 5.
 */
export const dpmSolver = definePlugin({
  name: "dpm-solver",
  kind: "sampler",
  about: "DPM-Solver++ 2M and its kin: orders 1 to 3, ODE or SDE, one network call per step",
  options: {
    ...levelOptions,
    order: choice([1, 2, 3], { default: 2, about: "predictions in use" }),
    solver: choice(["midpoint", "heun"], { default: "midpoint", about: "second-order term" }),
    predict: choice(["sample", "noise"], {
      default: "sample",
      about: "what is extrapolated: the clean sample (DPM-Solver++) or the noise (DPM-Solver)",
    }),
    eta: number({ default: 0, min: 0, about: "fresh noise; 0 is the ODE, 1 the SDE" }),
    noiseScale: number({ default: 1, min: 0, about: "factor on the fresh noise" }),
    lowerOrderFinal: boolean({
      default: true,
      about: "with fewer than 15 steps, lower orders at the end",
    }),
    firstOrderFinal: boolean({ default: false, about: "first order at the last step" }),
  },
  create({ lowerOrderFinal, firstOrderFinal, noiseScale, ...options }, container): Sampler {
    const { sigmas, ...start } = levelsOf("dpm-solver", options, container.get(PROCESS), true);
    const method: SolverMethod = options;
    const last = sigmas.length - 2;
    const few = lowerOrderFinal && last < 14;
    const orderAt = (i: number): number => {
      if (i === last && (firstOrderFinal || few || sigmas[last + 1] === 0)) return 1;
      return Math.min(options.order, i + 1, i === last - 1 && few ? 2 : 3);
    };
    const rules = [1, 2, 3].map((used) => solverStep(used, options));
    const steps = sigmas.slice(0, -1).map((sigma, i) => {
      const { keep, factors, rise } = solverFactors(sigmas, i, orderAt(i), method);
      const values = Object.fromEntries(factors.map((factor, k) => [`f${k}`, factor]));
      const step = { rule: rules[factors.length - 1], values: { sigma, keep, ...values } };
      return noised(step, rise * noiseScale);
    });
    return { ...start, steps, carried: predictionNames(options.order - 1) };
  },
});

/** Predictions before this one, newest first. */
const predictionNames = (count: number) => Array.from({ length: count }, (_, i) => `prediction${i + 1}`);

const solverStep = (
  used: number,
  { order, predict }: { readonly order: number; readonly predict: "sample" | "noise" },
): SamplerRule =>
  named(`dpm-solver of order ${used}`, (x, values, model, carried) => {
    const denoised = model.denoise(x, values.sigma);
    const own = predict === "sample" ? denoised : div(sub(x, denoised), values.sigma);
    const names = predictionNames(order - 1);
    const predictions = [own, ...names.map((name) => carried[name])];
    const next = predictions
      .slice(0, used)
      .reduce((sum, m, k) => add(sum, mul(values[`f${k}`], m)), mul(values.keep, x));
    // A step shifts the whole line; what is not set yet is never read.
    return { x: next, carried: Object.fromEntries(names.map((name, k) => [name, predictions[k]])) };
  });
