import { sigmaGrid } from "../../../core/diffusion/mod.ts";
import { SAMPLER } from "../../../core/interfaces/mod.ts";
import { renoise } from "../../../plugins/samplers/renoise.ts";
import { compose } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { runSampler } from "../samplerRun.ts";
import { only, type Settings } from "../settings.ts";

const SIGMA_DATA = 0.5;

/** FastGen's few-step samplers of networks that predict the sample. */
export const fastgenSamplersKind: Kind = {
  name: "FastGen samplers",
  matches: ({ file }) => /^fastgen_samplers/.test(file),
  run: (job) => job.each((sub) => runSub(job, sub)),
};

async function runSub(job: Job, sub: Settings): Promise<void> {
  const { reference, backend, check } = job;
  const { id, kind, type, steps, t_list: given } = sub;
  if (kind !== "x0") throw new Unsupported(`no samplers of ${kind} models`);
  const levels: readonly number[] = given ?? usualLevels(steps);
  if (levels.length !== steps + 1 || levels[steps] !== 0) throw new Unsupported(`no ${steps} steps at ${levels}`);
  only(sub, "type", "sde", "ode");
  const scene = new RivalScene(job, id);
  const shape = reference.shape(`${id}.in.noise`);
  const data = { sample: shape.slice(1), condition: {}, sigmaData: SIGMA_DATA };
  const sampler = renoise({ sigmas: levels.slice(0, -1), noise: type === "sde" ? "fresh" : "predicted" });
  const { states } = await runSampler({
    backend,
    sampler: compose(data, sampler).get(SAMPLER),
    shape,
    feed: scene.feed,
    condition: scene.condition("in.cond"),
    denoiser: scene.edm("student", SIGMA_DATA),
    start: reference.f64(`${id}.in.noise`).map((eps) => eps * levels[0]),
    noise: (_, index) => reference.f32(`${id}.rand.noise${index}`),
  });
  for (const [name, values] of Object.entries({ x: states[states.length - 1], t_list: levels }))
    for (const full of [`${id}.out.${name}`, `${id}.f64.out.${name}`]) check(values, full);
}

/** Levels of FastGen without a list: of 1000 by Karras, from number 998 down to number 2 in even strides, the last replaced by 0. */
function usualLevels(steps: number): number[] {
  const grid = sigmaGrid(1000, { sigmaMin: 0.002, sigmaMax: 80 });
  return Array.from({ length: steps + 1 }, (_, i) =>
    i === steps ? 0 : grid[Math.trunc(998 + ((2 - 998) * i) / steps)],
  );
}
