import type { RunConfig } from "../../core/train/mod.ts";
import { preset as gaussians } from "../gaussians/preset.ts";
import { preset as mnist } from "../mnist/preset.ts";

/** A config that `onestep train` knows by name. */
export interface Preset {
  readonly about: string;
  readonly config: RunConfig;
}

/** By name; one line each. */
export const presets: Readonly<Record<string, Preset>> = {
  gaussians: { about: "eight Gaussians in the plane, an MLP; needs no data", config: gaussians },
  mnist: { about: "digits at 16 x 16 pixels by class, a U-Net; needs --data", config: mnist },
};
