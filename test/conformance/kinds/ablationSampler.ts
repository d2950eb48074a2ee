import { SAMPLER } from "../../../core/interfaces/mod.ts";
import { edmAblation } from "../../../plugins/samplers/edmAblation.ts";
import { compose } from "../feed.ts";
import type { Kind } from "../kind.ts";
import { checkCalls, mixtureModel, rowsOf, runSampler } from "../samplerRun.ts";

/** EDM's general sampler on a mixture, with every setting that a sub-case names. */
export const ablationSamplerKind: Kind = {
  name: "edm ablation sampler",
  matches: ({ file }) => /^sampler_edm_ablation/.test(file),
  async run(job) {
    const { reference, backend, check } = job;
    await job.each(async (sub) => {
      const { id } = sub;
      const shape = reference.shape(`${id}.in.latents`);
      const data = { sample: shape.slice(1), condition: {}, sigmaData: 0.5 };
      const sampler = compose(data, edmAblation(optionsOf(sub))).get(SAMPLER);
      const draws = rowsOf(reference, `${id}.rand.noise`);
      const scale = sampler.startScale ?? sampler.sigmaMax;
      const record = await runSampler({
        backend,
        sampler,
        shape,
        denoiser: mixtureModel(reference),
        start: reference.f64(`${id}.in.latents`).map((eps) => scale * eps),
        noise: (step) => draws[step],
      });
      check(record.states[record.states.length - 1], `${id}.out.x`);
      checkCalls(job, id, record);
    });
  },
};

/** Names of the official function on the left. */
const names = {
  num_steps: "steps",
  solver: "solver",
  discretization: "discretization",
  schedule: "timeScale",
  scaling: "scaling",
  sigma_min: "sigmaMin",
  sigma_max: "sigmaMax",
  rho: "rho",
  alpha: "alpha",
  epsilon_s: "timeMin",
  C_1: "ratioMin",
  C_2: "cosineOffset",
  M: "chain",
  S_churn: "churn",
  S_min: "churnMin",
  S_max: "churnMax",
  S_noise: "churnNoise",
} as const;

function optionsOf(sub: Readonly<Record<string, unknown>>): Record<string, never> {
  const given = Object.entries(names).filter(([name]) => sub[name] !== undefined && sub[name] !== "inf");
  return Object.fromEntries(given.map(([name, option]) => [option, sub[name] as never]));
}
