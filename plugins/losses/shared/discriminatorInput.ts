import { addNoise, type NoiseSource } from "../../../core/diffusion/mod.ts";
import type { Draw, LossContext, NoiseProcess, Noisy } from "../../../core/interfaces/mod.ts";
import { constant, mul } from "../../../core/ops/mod.ts";
import { boolean, choice, number, type OptionsOf } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { diffuse, diffuseAgain, gridOf, levelOptions } from "./levels.ts";

/** Options of the discriminator's input. */
export const discriminatorOptions = {
  ...levelOptions,
  diffused: boolean({
    default: true,
    about: "whether the discriminator sees noisy samples; else clean ones, at sigmaMin",
  }),
  minStep: number({
    default: 0,
    min: 0,
    max: 1,
    about: "lowest level it sees, as a fraction of the grid",
  }),
  maxStep: number({
    default: 1,
    above: 0,
    max: 1,
    about: "highest level it sees, as a fraction of the grid",
  }),
  noise: choice(["own", "shared"], {
    default: "own",
    about: "noise of generated samples: drawn for this loss, or shared with an earlier loss of the turn",
  }),
};

/** Samples as the discriminator sees them, and the noise they are in; none where they are clean. */
export type Shown = Noisy & Partial<Draw>;

/** The discriminator's input of real and of generated samples, [B, …]. */
export interface DiscriminatorInput {
  real(x: Tensor, noise: NoiseSource): Shown;
  /** @throws E_CONFIG when noise is to be shared and no loss before `owner` has drawn any */
  generated(x: Tensor, context: Pick<LossContext, "noise" | "shared">, owner: string): Shown;
  /** Other samples at the levels and in the noise of some that are shown. */
  alike(x: Tensor, shown: Shown): Shown;
}

/** Makes the discriminator's input of samples. Every call draws its own levels and noise, unless they are shared. */
export function discriminatorInput(
  { diffused, minStep, maxStep, noise: whose, ...levels }: OptionsOf<typeof discriminatorOptions>,
  process: NoiseProcess,
): DiscriminatorInput {
  const grid = gridOf(levels, process);
  const low = Math.min(Math.floor(minStep * grid.length), grid.length - 1);
  const high = Math.max(low + 1, Math.floor(maxStep * grid.length));
  const scale = process.scale(grid[0]);
  const clean = (x: Tensor) => (scale === 1 ? x : mul(x, scale));
  const real: DiscriminatorInput["real"] = (x, noise) =>
    diffused ? diffuse(x, noise, grid, low, high) : { xt: clean(x), sigma: constant(grid[0], "f32", [x.shape[0]]) };
  return {
    real,
    generated: (x, { noise, shared }, owner) =>
      diffused && whose === "shared" ? diffuseAgain(x, shared, owner) : real(x, noise),
    alike: (x, { sigma, eps }) => ({ xt: eps ? addNoise(x, sigma, eps) : clean(x), sigma, eps }),
  };
}
