/** Options that LCM and TCD share: few timesteps out of the grid that a consistency model was distilled at. */
import { consistencyTimesteps, fallingTimesteps } from "../../../core/diffusion/mod.ts";
import { number, type OptionsOf } from "../../../core/plugin/mod.ts";
import { clipOption, scheduleOption, timestepsOption } from "./timesteps.ts";

export const consistencyOptions = {
  steps: number({ default: 4, min: 1, integer: true, about: "network calls" }),
  grid: number({
    default: 50,
    min: 1,
    integer: true,
    about: "timesteps that the model was distilled at",
  }),
  timesteps: timestepsOption,
  clip: clipOption,
  schedule: scheduleOption,
};

/** The timesteps of the options, decreasing. */
export const consistencyTimestepsOf = (
  owner: string,
  { steps, grid, timesteps, schedule: { count } }: OptionsOf<typeof consistencyOptions>,
): readonly number[] =>
  timesteps.length > 0
    ? fallingTimesteps(owner, timesteps, count)
    : consistencyTimesteps({ steps, grid, count });
