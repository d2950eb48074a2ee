import type { NoiseSource } from "../../core/diffusion/mod.ts";
import { constant } from "../../core/ops/mod.ts";
import { boolean, number, type OptionsOf } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { diffuse, gridOf, levelOptions } from "./levels.ts";

/** Options of what the discriminator is shown. */
export const discriminatorOptions = {
  ...levelOptions,
  diffused: boolean({
    default: true,
    about: "whether the discriminator sees noisy samples; else clean ones, at sigmaMin",
  }),
  maxStep: number({
    default: 1,
    above: 0,
    max: 1,
    about: "highest level it sees, as a fraction of the grid",
  }),
};

/** Makes the discriminator's input of samples. Every call draws its own levels and noise. */
export function discriminatorInput({
  diffused,
  maxStep,
  ...levels
}: OptionsOf<typeof discriminatorOptions>): (
  x: Tensor,
  noise: NoiseSource,
) => { readonly xt: Tensor; readonly sigma: Tensor } {
  const grid = gridOf(levels);
  const high = Math.max(1, Math.floor(maxStep * grid.length));
  return (x, noise) =>
    diffused
      ? diffuse(x, noise, grid, 0, high)
      : { xt: x, sigma: constant(grid[0], "f32", [x.shape[0]]) };
}
