/** Options that LCM and TCD share: few timesteps out of the grid that a consistency model was distilled at. */
import { consistencyTimesteps, fallingTimesteps } from "../../../core/diffusion/mod.ts";
import type { NoiseProcess } from "../../../core/interfaces/mod.ts";
import { number, type OptionsOf } from "../../../core/plugin/mod.ts";
import { clipOption, timestepsOf, timestepsOption } from "./timesteps.ts";

export const consistencyOptions = {
  steps: number({ default: 4, min: 1, max: 10_000, integer: true, about: "network calls" }),
  grid: number({
    default: 50,
    min: 1,
    integer: true,
    about: "timesteps that the model was distilled at",
  }),
  timesteps: timestepsOption,
  clip: clipOption,
};

/** The timesteps of the options, decreasing. */
export function consistencyTimestepsOf(
  owner: string,
  process: NoiseProcess,
  { steps, grid, timesteps }: Omit<OptionsOf<typeof consistencyOptions>, "clip">,
): readonly number[] {
  const { count } = timestepsOf(owner, process);
  return timesteps.length > 0
    ? fallingTimesteps(owner, timesteps, count)
    : consistencyTimesteps({ steps, grid, count });
}
