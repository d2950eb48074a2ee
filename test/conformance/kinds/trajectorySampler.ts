import { karrasSigmas } from "../../../core/diffusion/mod.ts";
import { SAMPLER } from "../../../core/interfaces/mod.ts";
import { trajectorySampler } from "../../../plugins/samplers/trajectory.ts";
import { compose } from "../feed.ts";
import type { Job, Kind } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { runSampler } from "../samplerRun.ts";
import type { Settings } from "../settings.ts";

const SIGMA_DATA = 0.5;
const BOUNDS = { sigmaMin: 0.002, sigmaMax: 80, rho: 7 };

/** γ-sampling of consistency trajectory models. */
export const trajectorySamplerKind: Kind = {
  name: "gamma sampling",
  matches: ({ file }) => /^ctm_gamma_sampler/.test(file),
  run: (job) => job.each((sub) => runSub(job, sub)),
};

async function runSub(job: Job, sub: Settings): Promise<void> {
  const { reference, backend, check } = job;
  const { id, gamma, ts: places } = sub;
  const grid = karrasSigmas(sub.steps, BOUNDS);
  const levels = (places as number[]).map((place) => grid[place]);
  const scene = new RivalScene(job, id);
  const shape = reference.shape(`${id}.in.x_T`);
  const data = { sample: shape.slice(1), condition: {}, sigmaData: SIGMA_DATA };
  const sampler = compose(
    data,
    trajectorySampler({ sigmas: levels.slice(0, -1), gamma, end: levels[levels.length - 1] }),
  ).get(SAMPLER);
  const { states } = await runSampler({
    backend,
    sampler,
    shape,
    feed: scene.feed,
    condition: scene.condition(),
    denoiser: scene.edm("student", SIGMA_DATA),
    start: reference.f64(`${id}.in.x_T`),
    noise: (_, index) => reference.f32(`${id}.rand.noise${index}`),
  });
  const results = { x: states[states.length - 1], s: sampler.steps.map(({ values }) => values.end) };
  for (const [name, values] of Object.entries(results))
    for (const full of [`${id}.out.${name}`, `${id}.f64.out.${name}`]) if (reference.has(full)) check(values, full);
}
