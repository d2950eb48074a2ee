import { karrasSigmas } from "../../../core/diffusion/mod.ts";
import { SAMPLER, type Sampler } from "../../../core/interfaces/mod.ts";
import { clamp } from "../../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../../core/plugin/mod.ts";
import { boundaryDenoiser } from "../../../plugins/generators/shared/boundary.ts";
import { dpm2 } from "../../../plugins/samplers/dpm2.ts";
import { euler } from "../../../plugins/samplers/euler.ts";
import { eulerAncestral } from "../../../plugins/samplers/eulerAncestral.ts";
import { heun } from "../../../plugins/samplers/heun.ts";
import { renoise } from "../../../plugins/samplers/renoise.ts";
import { compose } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { joined, runSampler } from "../samplerRun.ts";
import type { Settings } from "../settings.ts";

/** The samplers of the consistency models' code on the tiny network. */
export const consistencySamplersKind: Kind = {
  name: "consistency samplers",
  matches: ({ file }) => /^cm_samplers/.test(file),
  run: (job) => job.each((sub) => runSub(job, sub)),
};

/** σ_data of the reference's networks. */
const SIGMA_DATA = 0.5;

async function runSub(job: Job, sub: Settings): Promise<void> {
  const { reference, backend, check } = job;
  const { id, sigma_min: sigmaMin, sigma_max: sigmaMax, rho, clip_denoised: clipped } = sub;
  const scene = new RivalScene(job, id);
  const count = sub.sampler === "progdist" ? sub.steps + 1 : sub.steps;
  const sigmas = karrasSigmas(count, { sigmaMin, sigmaMax, rho });
  const shape = reference.shape(`${id}.rand.x_T`);
  const data = { sample: shape.slice(1), condition: {}, sigmaData: SIGMA_DATA };
  const plain = scene.edm("student", SIGMA_DATA);
  const model = sub.distillation ? boundaryDenoiser(plain, { sigmaMin, sigmaData: SIGMA_DATA }) : plain;
  const always = ["heun", "dpm"].includes(sub.sampler);
  const record = await runSampler({
    backend,
    sampler: compose(data, pluginFor(sub, sigmas)).get(SAMPLER),
    shape,
    feed: scene.feed,
    condition: scene.condition(),
    denoiser: {
      denoise(x, sigma, condition) {
        const denoised = model.denoise(x, sigma, condition);
        return clipped ? clamp(denoised, { min: -1, max: 1 }) : denoised;
      },
    },
    start: reference.f64(`${id}.rand.x_T`).map((eps) => eps * sigmaMax),
    noise: (step, index) => reference.f32(`${id}.rand.noise${always ? step : index}`),
  });
  const { states, calls } = record;
  const results = {
    x: states[states.length - 1].map((value) => Math.min(Math.max(value, -1), 1)),
    sigmas: [...sigmas, 0],
    call_sigma: calls.map(({ sigma }) => sigma),
    call_x0: joined(calls.map(({ denoised }) => denoised)),
  };
  for (const [name, values] of Object.entries(results))
    for (const full of [`${id}.out.${name}`, `${id}.f64.out.${name}`]) check(values, full);
}

function pluginFor(sub: Settings, sigmas: readonly number[]): ConfiguredPlugin<Sampler> {
  const churn = () => ({
    churn: sub.s_churn ?? 0,
    churnMin: sub.s_tmin ?? 0,
    churnMax: (sub.s_tmax ?? "inf") === "inf" ? null : sub.s_tmax,
    churnNoise: sub.s_noise ?? 1,
  });
  switch (sub.sampler) {
    case "onestep":
      return renoise({ sigmas: [sub.sigma_max] });
    case "multistep": {
      const taken: number[] = sub.ts;
      // The last one is where the predictions already are: noise of √(σ_min² − σ_min²).
      if (taken.at(-1) !== sub.steps - 1) throw new Unsupported(`no noise after the last of ts ${taken}`);
      const levels = taken.slice(0, -1).map((index) => sigmas[index]);
      return renoise({ sigmas: levels, floor: sub.sigma_min });
    }
    case "heun":
      return heun({ sigmas, ...churn() });
    case "dpm":
      return dpm2({ sigmas, ...churn(), middle: "cubic" });
    case "euler":
      return euler({ sigmas });
    case "ancestral":
      return eulerAncestral({ sigmas });
    case "progdist":
      return euler({ sigmas: sigmas.slice(0, -1), end: sigmas.at(-1) });
    default:
      throw new Unsupported(`no sampler ${sub.sampler}`);
  }
}
