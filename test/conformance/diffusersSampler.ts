import type { Sampler } from "../../core/interfaces/mod.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { ddim } from "../../plugins/samplers/ddim.ts";
import { ddpm } from "../../plugins/samplers/ddpm.ts";
import { dpmSolver } from "../../plugins/samplers/dpmSolver.ts";
import { euler } from "../../plugins/samplers/euler.ts";
import { eulerAncestral } from "../../plugins/samplers/eulerAncestral.ts";
import { lcm } from "../../plugins/samplers/lcm.ts";
import { tcd } from "../../plugins/samplers/tcd.ts";
import type { Route, SchedulerArgs } from "./diffusersScheduler.ts";
import { Unsupported } from "./kind.ts";
import { ignore, type Settings } from "./settings.ts";

/** The product's sampler for a scheduler. */
export interface ChosenSampler {
  readonly plugin: ConfiguredPlugin<Sampler>;
  /** What x is: of variance 1 at its timestep, as given, or divided by √ᾱ where the scheduler has variance 1. */
  readonly space: "timesteps" | "sigmas" | "levels";
}

/** A sub-case: a scheduler with its arguments, those of its steps, and how many there are. */
export function samplerFor(sub: Settings, { sigmas }: Route): ChosenSampler {
  const { args, step_args: step, num_inference_steps: steps } = sub;
  const spaced = () => ({
    steps,
    clip: clipOf(args),
    spacing: args.timestep_spacing,
    offset: args.steps_offset,
  });
  const consistency = () => {
    // Their timesteps are those of the grid, and the last one is never below the first of the table.
    ignore(args, "timestep_spacing", "steps_offset", "set_alpha_to_one");
    return { steps, clip: clipOf(args), grid: args.original_inference_steps };
  };
  const levels = { sigmas: sigmas?.slice(0, -1), end: sigmas?.at(-1) };
  switch (sub.scheduler) {
    case "DDIMScheduler":
      return {
        space: "timesteps",
        plugin: ddim({
          ...spaced(),
          eta: step.eta,
          clipNoise: step.use_clipped_model_output,
          endAtFirst: args.set_alpha_to_one === false,
        }),
      };
    case "DDPMScheduler":
      return { space: "timesteps", plugin: ddpm({ ...spaced(), variance: varianceOf(args) }) };
    case "LCMScheduler":
      return {
        space: "timesteps",
        plugin: lcm({ ...consistency(), scaling: args.timestep_scaling }),
      };
    case "TCDScheduler":
      ignore(args, "timestep_scaling"); // of the boundary scalings, which it does not have
      return { space: "timesteps", plugin: tcd({ ...consistency(), eta: step.eta }) };
    case "EulerDiscreteScheduler":
      return {
        space: "sigmas",
        plugin: euler({
          ...levels,
          churnAfter: true,
          churn: step.s_churn,
          churnMin: step.s_tmin,
          churnMax: step.s_tmax === "inf" ? null : step.s_tmax,
          churnNoise: step.s_noise,
        }),
      };
    case "EulerAncestralDiscreteScheduler":
      return { space: "sigmas", plugin: eulerAncestral(levels) };
    case "DPMSolverMultistepScheduler":
      return { space: "levels", plugin: dpmSolver({ ...levels, ...solverOptions(args) }) };
    default:
      throw new Unsupported(`no scheduler ${sub.scheduler}`);
  }
}

/** The bound of clean samples, or none. */
export function clipOf(args: SchedulerArgs): number | null {
  ignore(args, "clip_sample_range");
  return args.clip_sample ? (args.clip_sample_range ?? 1) : null;
}

function varianceOf({ variance_type: type }: SchedulerArgs): "small" | "large" {
  if (type === "fixed_large") return "large";
  if (type === undefined || type === "fixed_small" || type === "fixed_small_log") return "small";
  throw new Unsupported(`no variance ${type}`);
}

function solverOptions(args: SchedulerArgs) {
  const algorithm = args.algorithm_type ?? "dpmsolver++";
  if (!/^(sde-)?dpmsolver(\+\+)?$/.test(algorithm)) throw new Unsupported(`no solver ${algorithm}`);
  return {
    order: args.solver_order,
    solver: args.solver_type,
    predict: algorithm.endsWith("++") ? "sample" : "noise",
    eta: algorithm.startsWith("sde-") ? 1 : 0,
    lowerOrderFinal: args.lower_order_final,
    firstOrderFinal: args.euler_at_final,
  } as const;
}
