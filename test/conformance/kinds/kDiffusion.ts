import { spacedSigmas } from "../../../core/diffusion/mod.ts";
import { SAMPLER, type Sampler } from "../../../core/interfaces/mod.ts";
import type { ConfiguredPlugin, GivenOptions } from "../../../core/plugin/mod.ts";
import { dpm2 } from "../../../plugins/samplers/dpm2.ts";
import { dpm2Ancestral } from "../../../plugins/samplers/dpm2Ancestral.ts";
import { dpmpp2sAncestral } from "../../../plugins/samplers/dpmpp2sAncestral.ts";
import { dpmSolver } from "../../../plugins/samplers/dpmSolver.ts";
import { euler } from "../../../plugins/samplers/euler.ts";
import { eulerAncestral } from "../../../plugins/samplers/eulerAncestral.ts";
import { heun } from "../../../plugins/samplers/heun.ts";
import { lms } from "../../../plugins/samplers/lms.ts";
import type { levelOptions } from "../../../plugins/samplers/shared/levels.ts";
import { compose } from "../feed.ts";
import { type Kind, Unsupported } from "../kind.ts";
import { checkCalls, mixtureModel, rowsOf, runSampler } from "../samplerRun.ts";
import type { Settings } from "../settings.ts";

type Levels = GivenOptions<typeof levelOptions>;

/** Levels of a sub-case as options. */
function levelsFor({ schedule, n: steps, schedule_params: params }: Settings): Levels {
  if (schedule === "vp") {
    const [betaSlope, betaMin, timeMin] = params;
    return { sigmas: spacedSigmas(steps, "vp", { betaSlope, betaMin, timeMin, ...ANY }) };
  }
  if (schedule !== "karras" && schedule !== "exponential" && schedule !== "polyexponential")
    throw new Unsupported(`no schedule ${schedule}`);
  const [sigmaMin, sigmaMax, rho = schedule === "karras" ? 7 : 1] = params;
  return { spacing: schedule, steps, sigmaMin, sigmaMax, rho };
}

/** Bounds that the vp curve does not use. */
const ANY = { sigmaMin: 0, sigmaMax: 1 };

const churnOf = ({ s_churn = 0, s_tmin = 0, s_tmax = "inf", s_noise = 1 }: Settings) => ({
  churn: s_churn,
  churnMin: s_tmin,
  churnNoise: s_noise,
  churnMax: s_tmax === "inf" ? null : s_tmax,
});
const ancestralOf = ({ eta = 1, s_noise = 1 }: Settings) => ({ eta, noiseScale: s_noise });
/** Without the schedulers' habit of lower orders at the end. */
const plain = { lowerOrderFinal: false };

/** The product's plugin for a function of k-diffusion. */
const plugins: Readonly<Record<string, (levels: Levels, sub: Settings) => ConfiguredPlugin<Sampler>>> = {
  sample_euler: (levels, sub) => euler({ ...levels, ...churnOf(sub) }),
  sample_heun: (levels, sub) => heun({ ...levels, ...churnOf(sub) }),
  sample_dpm_2: (levels, sub) => dpm2({ ...levels, ...churnOf(sub) }),
  sample_euler_ancestral: (levels, sub) => eulerAncestral({ ...levels, ...ancestralOf(sub) }),
  sample_dpm_2_ancestral: (levels, sub) => dpm2Ancestral({ ...levels, ...ancestralOf(sub) }),
  sample_dpmpp_2s_ancestral: (levels, sub) => dpmpp2sAncestral({ ...levels, ...ancestralOf(sub) }),
  sample_lms: (levels, { order = 4 }) => lms({ ...levels, order }),
  sample_dpmpp_2m: (levels) => dpmSolver({ ...levels, ...plain }),
  sample_dpmpp_2m_sde: (levels, sub) =>
    dpmSolver({ ...levels, ...plain, ...ancestralOf(sub), solver: sub.solver_type }),
  sample_dpmpp_3m_sde: (levels, sub) =>
    dpmSolver({ ...levels, ...plain, ...ancestralOf(sub), order: 3, solver: "heun" }),
};

/** Samplers that draw at every step, whether they use it or not. */
const drawsAlways = ["sample_euler", "sample_heun", "sample_dpm_2"];

/** The samplers of k-diffusion on a mixture. */
export const kDiffusionKind: Kind = {
  name: "k-diffusion samplers",
  matches: ({ file }) => /^sampler_kdiffusion/.test(file),
  async run(job) {
    const { reference, backend, check } = job;
    await job.each(async (sub) => {
      const make = plugins[sub.sampler];
      if (!make) throw new Unsupported(`no sampler ${sub.sampler}`);
      const { id } = sub;
      const shape = reference.shape(`${id}.in.x`);
      const data = { sample: shape.slice(1), condition: {}, sigmaData: 0.5 };
      const levels = levelsFor(sub);
      const sampler = compose(data, make(levels, sub)).get(SAMPLER);
      const noise = `${id}.rand.noise`;
      const draws = reference.has(noise) ? rowsOf(reference, noise) : [];
      const record = await runSampler({
        backend,
        sampler,
        shape,
        denoiser: mixtureModel(reference),
        start: reference.f32(`${id}.in.x`),
        noise: (step, index) => draws[drawsAlways.includes(sub.sampler) ? step : index],
      });
      check(record.states[record.states.length - 1], `${id}.out.x`);
      const { steps } = compose(data, euler(levels)).get(SAMPLER);
      check([...steps.map(({ values }) => values.sigma), 0], `${id}.in.sigmas`);
      checkCalls(job, id, record);
    });
  },
};
