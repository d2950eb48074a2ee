/** Options of where a loss draws σ: one of the distributions of core/diffusion/sigmaDistributions.ts, and its numbers. */
import {
  logitNormal,
  logNormal,
  logUniform,
  type SigmaDistribution,
  shifted,
  uniformTime,
} from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import { choice, number, type OptionsOf } from "../../../core/plugin/mod.ts";

export const distributionOptions = {
  levels: choice(["log-normal", "log-uniform", "logit-normal", "uniform-time"], {
    default: "log-normal",
    about: "how sigma is drawn: as EDM does, as VE models do, or by the time t of a rectified flow",
  }),
  pMean: number({ default: -1.2, about: "mean of ln sigma; log-normal" }),
  pStd: number({ default: 1.2, min: 0, about: "standard deviation of ln sigma; log-normal" }),
  sigmaMin: number({ default: 0.02, above: 0, about: "lowest noise level; log-uniform" }),
  sigmaMax: number({ default: 100, above: 0, about: "highest noise level; log-uniform" }),
  logitMean: number({ default: 0, about: "mean of ln(t/(1 − t)); logit-normal" }),
  logitStd: number({
    default: 1,
    min: 0,
    about: "standard deviation of ln(t/(1 − t)); logit-normal",
  }),
  timeMin: number({ default: 0.001, above: 0, max: 0.9999, about: "lowest t; uniform-time" }),
  timeMax: number({ default: 0.999, above: 0, max: 0.9999, about: "highest t; uniform-time" }),
  shift: number({
    default: 1,
    above: 0,
    about: "factor on sigma, whatever the distribution; above 1 is more noise",
  }),
};

/**
 * The distribution that the options name, σ' = shift·σ.
 * @throws E_OPTION in the name of `owner` when its bounds do not rise
 */
export function distributionOf(
  owner: string,
  { levels, shift, ...options }: OptionsOf<typeof distributionOptions>,
): SigmaDistribution {
  const { pMean, pStd, logitMean, logitStd } = options;
  const bounds = (low: "sigmaMin" | "timeMin", high: "sigmaMax" | "timeMax") =>
    rising(owner, [low, options[low]], [high, options[high]]);
  const distributions = {
    "log-normal": () => logNormal(pMean, pStd),
    "log-uniform": () => logUniform(...bounds("sigmaMin", "sigmaMax")),
    "logit-normal": () => logitNormal(logitMean, logitStd),
    "uniform-time": () => uniformTime(...bounds("timeMin", "timeMax")),
  };
  return shifted(distributions[levels](), shift);
}

function rising(
  owner: string,
  [lowName, low]: readonly [string, number],
  [highName, high]: readonly [string, number],
): [low: number, high: number] {
  if (low < high) return [low, high];
  throw failure(
    "E_OPTION",
    `Cannot configure ${owner}: ${lowName} is ${low} and ${highName} ${high}, ${lowName} should be the lower`,
  );
}
