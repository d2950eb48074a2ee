/** Timesteps and noise levels of the public discrete schedulers, from their names and arguments. */
import {
  consistencyTimesteps,
  type DiscreteOptions,
  type DiscreteTable,
  discreteTable,
  sigmaAt,
  solverTimesteps,
  spacedSigmas,
  spacedTimesteps,
  type TimestepSpacing,
  timestepAt,
} from "../../core/diffusion/mod.ts";
import { Unsupported } from "./kind.ts";
import { ignore, only } from "./settings.ts";

/** Arguments of a scheduler, under its own names; those that are left out have its defaults. */
export interface SchedulerArgs {
  readonly num_train_timesteps?: number;
  readonly beta_start?: number;
  readonly beta_end?: number;
  readonly beta_schedule?: string;
  readonly trained_betas?: readonly number[] | null;
  readonly rescale_betas_zero_snr?: boolean;
  readonly timestep_spacing?: TimestepSpacing;
  readonly steps_offset?: number;
  readonly prediction_type?: string;
  readonly thresholding?: boolean;
  readonly clip_sample?: boolean;
  readonly clip_sample_range?: number;
  readonly set_alpha_to_one?: boolean;
  readonly variance_type?: string | null;
  readonly use_karras_sigmas?: boolean;
  readonly use_lu_lambdas?: boolean;
  readonly final_sigmas_type?: "zero" | "sigma_min";
  readonly lambda_min_clipped?: number | "-inf";
  readonly interpolation_type?: string;
  readonly sigma_min?: number | null;
  readonly sigma_max?: number | null;
  readonly solver_order?: 1 | 2 | 3;
  readonly solver_type?: "midpoint" | "heun";
  readonly algorithm_type?: string;
  readonly lower_order_final?: boolean;
  readonly euler_at_final?: boolean;
  readonly original_inference_steps?: number;
  readonly timestep_scaling?: number;
}

const curves = {
  linear: "linear",
  scaled_linear: "scaledLinear",
  squaredcos_cap_v2: "squaredCosine",
} as const;

/** The table of noise levels as options. */
export function tableOptions(args: SchedulerArgs): Required<Omit<DiscreteOptions, "precision">> {
  const name = args.beta_schedule ?? "linear";
  if (args.trained_betas || !(name in curves)) throw new Unsupported(`no table of betas ${name}`);
  return {
    curve: curves[name as keyof typeof curves],
    betaStart: args.beta_start ?? 1e-4,
    betaEnd: args.beta_end ?? 0.02,
    count: args.num_train_timesteps ?? 1000,
    zeroTerminalSnr: args.rescale_betas_zero_snr ?? false,
  };
}

/** Where a scheduler goes. */
export interface Route {
  readonly timesteps: readonly number[];
  /** Of schedulers that step in noise levels, the last one included; decreasing. */
  readonly sigmas?: readonly number[];
}

const defaults: Record<string, TimestepSpacing> = {
  DDIMScheduler: "leading",
  DDPMScheduler: "leading",
  LCMScheduler: "leading",
  TCDScheduler: "leading",
};

/** Timesteps and levels of a scheduler for `steps` steps. */
export function routeOf(scheduler: string, args: SchedulerArgs, steps: number): Route {
  // In float32 as the public code has it: at low levels 1 − ᾱ has few digits left.
  const table = discreteTable({ ...tableOptions(args), precision: "float32" });
  const count = table.betas.length;
  const spacing = args.timestep_spacing ?? defaults[scheduler] ?? "linspace";
  const wanted = { steps, count, spacing, offset: args.steps_offset ?? 0 };
  switch (scheduler) {
    case "DDIMScheduler":
    case "DDPMScheduler":
      return { timesteps: spacedTimesteps(wanted) };
    case "LCMScheduler":
    case "TCDScheduler":
      return {
        timesteps: consistencyTimesteps({ steps, count, grid: args.original_inference_steps }),
      };
    case "EulerDiscreteScheduler":
    case "EulerAncestralDiscreteScheduler":
      return eulerRoute(table, args, spacedTimesteps(wanted, false));
    case "DPMSolverMultistepScheduler":
      return solverRoute(table, args, wanted);
    default:
      throw new Unsupported(`no scheduler ${scheduler}`);
  }
}

function eulerRoute(table: DiscreteTable, args: SchedulerArgs, timesteps: number[]): Route {
  only(args, "timestep_type", "discrete");
  only(args, "interpolation_type", "linear", "log_linear");
  ignore(args, "sigma_min", "sigma_max", "use_karras_sigmas"); // where it takes the table's own
  const finite = withoutInfinity(table);
  const sigmas = timesteps.map((timestep) => sigmaAt(finite, timestep));
  const bounds = { sigmaMin: finite.sigmas[0], sigmaMax: finite.sigmas[finite.sigmas.length - 1] };
  if (args.interpolation_type === "log_linear")
    return { timesteps, sigmas: [...spacedSigmas(sigmas.length + 1, "exponential", bounds), 0] };
  if (!args.use_karras_sigmas) return { timesteps, sigmas: [...sigmas, 0] };
  const levels = karras(sigmas.length, {
    sigmaMin: args.sigma_min ?? sigmas[sigmas.length - 1],
    sigmaMax: args.sigma_max ?? sigmas[0],
  });
  return {
    timesteps: levels.map((sigma) => snapped(timestepAt(finite, sigma))),
    sigmas: [...levels, 0],
  };
}

function solverRoute(table: DiscreteTable, args: SchedulerArgs, wanted: Parameters<typeof solverTimesteps>[0]): Route {
  const { sigmas: all } = withoutInfinity(table);
  const end = args.final_sigmas_type === "sigma_min" ? all[0] : 0;
  const bounds = { sigmaMin: all[0], sigmaMax: all[all.length - 1] };
  only(args, "final_sigmas_type", "zero", "sigma_min");
  ignore(args, "lambda_min_clipped", "use_lu_lambdas"); // where Karras' levels replace the others
  if (args.use_karras_sigmas || args.use_lu_lambdas) {
    const levels = args.use_karras_sigmas
      ? karras(wanted.steps, bounds)
      : spacedSigmas(wanted.steps, "exponential", bounds);
    const timesteps = levels.map((sigma) => Math.round(timestepAt(table, sigma)));
    return { timesteps, sigmas: [...levels, end] };
  }
  const least = args.lambda_min_clipped ?? "-inf";
  // λ = −ln σ falls with the timestep; those below the bound are never visited.
  const count = least === "-inf" ? all.length : all.filter((sigma) => -Math.log(sigma) >= least).length;
  if (count < all.length && wanted.spacing === "trailing")
    throw new Unsupported("trailing timesteps below a bound of lambda");
  const timesteps = solverTimesteps({ ...wanted, count });
  return { timesteps, sigmas: [...timesteps.map((timestep) => all[timestep]), end] };
}

const karras = (steps: number, bounds: { sigmaMin: number; sigmaMax: number }) =>
  steps === 1 ? [bounds.sigmaMax] : spacedSigmas(steps, "karras", { ...bounds, rho: 7 });

/** Rounding must not make a whole timestep a fraction: 0 would be off by all of its size. */
const snapped = (timestep: number): number =>
  Math.abs(timestep - Math.round(timestep)) < 1e-5 ? Math.round(timestep) : timestep;

/** Euler and multistep schedulers replace ᾱ = 0 by 2⁻²⁴. */
const withoutInfinity = (table: DiscreteTable): DiscreteTable => ({
  ...table,
  sigmas: table.sigmas.map((sigma) => (sigma === Infinity ? Math.sqrt(2 ** 24 - 1) : sigma)),
});
