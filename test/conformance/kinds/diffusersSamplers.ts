import {
  type DiscreteTable,
  discreteDenoiser,
  discreteTable,
  type PredictionKind,
  perSample,
  predictionConversion,
} from "../../../core/diffusion/mod.ts";
import { type Denoiser, SAMPLER, type Sampler } from "../../../core/interfaces/mod.ts";
import { constantArray, div, mul, reshape, sub, takeRows } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { discrete } from "../../../plugins/processes/discrete.ts";
import { clipOf, samplerFor } from "../diffusersSampler.ts";
import { routeOf, tableOptions } from "../diffusersScheduler.ts";
import { compose, type Numbers } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { joined, mixtureModel, rowsOf, runSampler, type SamplerRecord } from "../samplerRun.ts";
import { ignore, only, type Settings } from "../settings.ts";

/** Whole sampling loops of the public discrete schedulers, with the noise that they drew. */
export const diffusersSamplersKind: Kind = {
  name: "diffusers samplers",
  matches: ({ file }) => /^sampler_diffusers/.test(file),
  // Every sub-case states the table of its own.
  silent: ["schedule"],
  run: (job) => job.each((sub) => runCase(job, sub)),
};

async function runCase({ reference, backend, check }: Job, sub: Settings): Promise<void> {
  const { id, args } = sub;
  only(args, "thresholding", false);
  ignore(args, "dynamic_thresholding_ratio", "sample_max_value");
  ignore(sub, "noise_steps"); // where nothing is drawn
  const shape = reference.shape(`${id}.in.x`);
  const data = { sample: shape.slice(1), condition: {}, sigmaData: 0.5 };
  const route = routeOf(sub.scheduler, args, sub.num_inference_steps);
  const { plugin, space } = samplerFor(sub, route);
  const sampler = compose(data, plugin, discrete(tableOptions(args))).get(SAMPLER);
  const table = discreteTable(tableOptions(args));
  const mixture = mixtureModel(reference);
  const euler = /^Euler/.test(sub.scheduler);
  const noise = `${id}.rand.noise`;
  const draws = reference.has(noise) ? rowsOf(reference, noise) : [];
  // What a multistep solver holds is x/√ᾱ; its levels lie between those of the table.
  const scaleAt = (step: number) => (space === "levels" ? Math.hypot(route.sigmas![step], 1) : 1);
  const record = await runSampler({
    backend,
    sampler,
    shape,
    denoiser: euler ? mixture : discreteDenoiser(noiseNetwork(mixture, table), table),
    start: reference.f64(`${id}.in.x`).map((value) => value * scaleAt(0)),
    noise: (step) => draws[sub.noise_steps.indexOf(step)],
  });
  const states = record.states.map((state, step) => state.map((value) => value / scaleAt(step + 1)));
  const results = {
    ...route,
    prev: joined(states),
    eps: predictions(record, args.prediction_type),
  };
  const all: Record<string, Numbers | undefined> = {
    ...results,
    ...cleanSamples(sub, sampler, record, states, route.sigmas),
  };
  for (const name of reference.names(`${id}.out.`)) {
    const values = all[name.slice(`${id}.out.`.length)];
    if (!values) throw new Unsupported(`${sub.scheduler} has no output ${name}`);
    check(values, name);
  }
}

/** ε of the mixture at whole timesteps: (x_t − √ᾱ·D(x_t/√ᾱ; σ_t))/√(1 − ᾱ). */
const noiseNetwork =
  (mixture: Denoiser, { alphasCumprod, sigmas }: DiscreteTable) =>
  (xt: Tensor, timestep: Tensor): Tensor => {
    const at = (values: readonly number[]) =>
      reshape(takeRows(constantArray(values, [values.length, 1]), timestep), [timestep.shape[0]]);
    const signal = perSample(at(alphasCumprod.map(Math.sqrt)), xt.shape.length);
    const noise = perSample(at(alphasCumprod.map((abar) => Math.sqrt(1 - abar))), xt.shape.length);
    const clean = mixture.denoise(div(xt, signal), at(sigmas), {});
    return div(sub(xt, mul(signal, clean)), noise);
  };

const kinds: Readonly<Record<string, PredictionKind>> = {
  epsilon: "epsilon",
  v_prediction: "velocity",
  sample: "sample",
};

/** What the network said at every call, of the kind that the scheduler takes. */
function predictions({ calls }: SamplerRecord, type = "epsilon"): number[] {
  return calls.flatMap(({ x, sigma, denoised }) => {
    const scale = Math.hypot(sigma, 1);
    const { ofPrediction, ofSample } = predictionConversion("sample", kinds[type], {
      signal: 1 / scale,
      noise: sigma / scale,
    });
    return Array.from(x, (value, i) => ofPrediction * denoised[i] + (ofSample * value) / scale);
  });
}

/** The clean samples that schedulers report, read off the states where they can be. */
function cleanSamples(
  { scheduler, args }: Settings,
  sampler: Sampler,
  { calls, noises }: SamplerRecord,
  states: readonly Float32Array[],
  sigmas: readonly number[] = [],
): Record<string, Numbers> {
  if (/^(LCM|TCD)/.test(scheduler)) {
    // Before fresh noise of size `up` was mixed in: (x − up·ε)/√(1 − up²).
    const before = joined(
      states.map((state, step) => {
        const [eps] = noises[step];
        const { up = 0 } = sampler.steps[step].values;
        return state.map((value, i) => (value - up * (eps?.[i] ?? 0)) / Math.sqrt(1 - up ** 2));
      }),
    );
    return { denoised: before, pred_noised: before };
  }
  if (scheduler === "EulerDiscreteScheduler")
    return {
      x0: calls.flatMap(({ x, sigma, denoised }, step) =>
        Array.from(x, (value, i) => states[step][i] - (sigmas[step + 1] * (value - denoised[i])) / sigma),
      ),
    };
  const bound = /^DD/.test(scheduler) ? (clipOf(args) ?? Infinity) : Infinity;
  const clip = (value: number) => Math.min(Math.max(value, -bound), bound);
  return { x0: calls.flatMap(({ denoised }) => Array.from(denoised, clip)) };
}
