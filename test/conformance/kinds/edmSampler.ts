import { type Denoiser, SAMPLER, TEACHER } from "../../../core/interfaces/mod.ts";
import { heun } from "../../../plugins/samplers/heun.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { edmDataShape, edmNetwork } from "../edmNetwork.ts";
import { compose, Feed, labelsOf } from "../feed.ts";
import type { Job, Kind } from "../kind.ts";
import { checkCalls, mixtureModel, rowsOf, runSampler } from "../samplerRun.ts";
import { refuseUnread, type Settings } from "../settings.ts";

/** EDM's sampler, on a mixture or on a network whose weights are in another file. */
export const edmSamplerKind: Kind = {
  name: "edm sampler",
  matches: ({ file }) => /^sampler_edm(?!_ablation)/.test(file),
  run: runEdmSampler,
};

async function runEdmSampler(job: Job): Promise<void> {
  const { reference, backend, check } = job;
  await job.each(async (sub) => {
    const { id } = sub;
    const shape = reference.shape(`${id}.in.latents`);
    const data = { sample: shape.slice(1), condition: {}, sigmaData: 0.5 };
    const sampler = compose(data, heun(optionsOf(sub))).get(SAMPLER);
    const draws = rowsOf(reference, `${id}.rand.noise`);
    const feed = new Feed();
    const record = await runSampler({
      backend,
      sampler,
      shape,
      feed,
      ...modelOf(job, id, feed),
      start: reference.f64(`${id}.in.latents`).map((eps) => sampler.sigmaMax * eps),
      noise: (step) => draws[step],
    });
    const last = record.states[record.states.length - 1];
    check(last, `${id}.out.x`);
    if (reference.has(`${id}.f64.out.x`)) check(last, `${id}.f64.out.x`);
    checkCalls(job, id, record);
    if (reference.has(`${id}.out.t_steps`)) {
      const levels = compose(data, heun({ ...optionsOf(sub), churn: 0 })).get(SAMPLER).steps;
      check([...levels.map(({ values }) => values.sigma), 0], `${id}.out.t_steps`);
    }
  });
}

const optionsOf = (sub: Settings) => ({
  steps: sub.num_steps,
  sigmaMin: sub.sigma_min ?? 0.002,
  sigmaMax: sub.sigma_max ?? 80,
  rho: sub.rho ?? 7,
  churn: sub.S_churn ?? 0,
  churnMin: sub.S_min ?? 0,
  churnMax: (sub.S_max ?? "inf") === "inf" ? null : sub.S_max,
  churnNoise: sub.S_noise ?? 1,
});

function modelOf({ reference, set }: Job, id: string, feed: Feed) {
  const file: string | undefined = reference.config.weights_file;
  if (!file) return { denoiser: mixtureModel(reference) };
  const source = set.case(file.replace(/\.safetensors$/, "")).watched();
  const container = compose(edmDataShape(source.config), edmNetwork(source.config), edm());
  refuseUnread(source.config);
  const weights = feed.weights("w.", (name) => source.f32(`w.${name}`));
  const denoiser: Denoiser = container.get(TEACHER).bind(weights.scope);
  const labels = `${id}.in.class_labels`;
  if (!reference.has(labels)) return { denoiser };
  const classes = labelsOf(reference.f32(labels), reference.shape(labels)[1]);
  if (classes.every((label) => label >= 0)) return { denoiser, condition: feed.label("label", classes) };
  const classWeights = feed.tensor(labels, reference.shape(labels), reference.f32(labels));
  return { denoiser, condition: { classWeights } };
}
