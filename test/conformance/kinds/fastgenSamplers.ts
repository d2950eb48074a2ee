import { flowSigma, sigmaGrid } from "../../../core/diffusion/mod.ts";
import { type Denoiser, type NoiseProcess, PROCESS, SAMPLER } from "../../../core/interfaces/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import { rectifiedFlow } from "../../../plugins/processes/rectifiedFlow.ts";
import { meanFlowSampler } from "../../../plugins/samplers/meanFlow.ts";
import { renoise } from "../../../plugins/samplers/renoise.ts";
import { compose } from "../feed.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import { RivalScene } from "../rivalScene.ts";
import { runSampler } from "../samplerRun.ts";
import { only, type Settings } from "../settings.ts";

const SIGMA_DATA = 0.5;

/** FastGen's few-step samplers of networks that predict the sample, or the mean velocity of a flow. */
export const fastgenSamplersKind: Kind = {
  name: "FastGen samplers",
  matches: ({ file }) => /^fastgen_samplers/.test(file),
  run: (job) => job.each((sub) => runSub(job, sub)),
};

async function runSub(job: Job, sub: Settings): Promise<void> {
  const { reference, backend, check } = job;
  const { id, type, steps, t_list: given } = sub;
  const isFlow = only(sub, "kind", "x0", "meanflow") === "meanflow";
  const listed: readonly number[] = given ?? (isFlow ? usualTimes(steps) : usualLevels(steps));
  if (listed.length !== steps + 1 || listed[steps] !== 0) throw new Unsupported(`no ${steps} steps at ${listed}`);
  const levels = listed.slice(0, -1).map((each) => (isFlow ? flowSigma(each) : each));
  only(sub, "type", "sde", "ode");
  const scene = new RivalScene(job, id);
  const shape = reference.shape(`${id}.in.noise`);
  const data = { sample: shape.slice(1), condition: {}, sigmaData: SIGMA_DATA };
  const sampler =
    isFlow && type === "ode"
      ? meanFlowSampler({ sigmas: levels, lowest: 0 })
      : renoise({ sigmas: levels, noise: type === "sde" ? "fresh" : "predicted" });
  const container = isFlow ? compose(data, rectifiedFlow({ timeScale: 1 }), sampler) : compose(data, sampler);
  const { states } = await runSampler({
    backend,
    sampler: container.get(SAMPLER),
    shape,
    feed: scene.feed,
    condition: scene.condition("in.cond"),
    denoiser: isFlow ? meanVelocity(scene, container.get(PROCESS)) : scene.edm("student", SIGMA_DATA),
    start: reference.f64(`${id}.in.noise`).map((eps) => eps * levels[0]),
    noise: (_, index) => reference.f32(`${id}.rand.noise${index}`),
  });
  for (const [name, values] of Object.entries({ x: states[states.length - 1], t_list: listed }))
    for (const full of [`${id}.out.${name}`, `${id}.f64.out.${name}`]) check(values, full);
}

/** A mean velocity as a denoiser that leads to the sample where it is not told where to end. */
function meanVelocity(scene: RivalScene, process: NoiseProcess): Denoiser {
  const network = scene.network("mf");
  return process.denoiser((x, time, { end = mul(time, 0), ...condition }) => network(x, time, { ...condition, end }));
}

/** Times of FastGen without a list, from the last one of its flow in even strides. */
const usualTimes = (steps: number): number[] => Array.from({ length: steps + 1 }, (_, i) => 0.999 * (1 - i / steps));

/** Levels of FastGen without a list: of 1000 by Karras, from number 998 down to number 2 in even strides, the last replaced by 0. */
function usualLevels(steps: number): number[] {
  const grid = sigmaGrid(1000, { sigmaMin: 0.002, sigmaMax: 80 });
  return Array.from({ length: steps + 1 }, (_, i) =>
    i === steps ? 0 : grid[Math.trunc(998 + ((2 - 998) * i) / steps)],
  );
}
