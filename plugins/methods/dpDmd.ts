import { failure } from "../../core/errors.ts";
import { GENERATOR, type Method } from "../../core/interfaces/mod.ts";
import { definePlugin, mergeConfig } from "../../core/plugin/mod.ts";
import type { Recipe } from "../../core/train/mod.ts";
import { dmd2, turnOptions, turnsOf } from "./dmd2.ts";
import { eulerOn } from "./shared/rounds.ts";

/**
 * DP-DMD: DMD2's turns for a generator that takes its steps along the path, as samples are drawn, the first of them held to the
 * teacher. Multimedia-Analytics-Laboratory/dpdmd.
 */
export const dpDmdMethod = definePlugin({
  name: "dp-dmd",
  kind: "method",
  about: "DMD2's turns for a generator of several Euler steps, whose first keeps the teacher's diversity",
  options: turnOptions,
  create(options, container): Method {
    const base = turnsOf(options, container);
    const { sigmas, startScale } = container.get(GENERATOR);
    if (sigmas.length < 2)
      throw failure(
        "E_CONFIG",
        `Cannot configure dp-dmd: the generator has one noise level, ${sigmas[0]}, should have two or more: the first step is the teacher's`,
        { fix: `set generator.sigmas=[${sigmas[0]},${Number((sigmas[0] / 8).toPrecision(2))}]` },
      );
    return {
      ...base,
      name: "dp-dmd",
      samplers: { ...base.samplers, generator: eulerOn([...sigmas, 0], startScale) },
    };
  },
});

/**
 * DP-DMD with two steps: matching alone teaches the second, the first step's loss the first, five updates of the critic for each of
 * the generator. The weight 0.05 is the code's for SD 3.5; rates are those of DMD2.
 */
export const dpDmd: Recipe = mergeConfig(dmd2, {
  method: { use: "dp-dmd" },
  generator: { use: "rollout", sigmas: [80, 2.5] },
  critic: { head: false },
  losses: {
    "distribution-matching": { normalise: "noisy" },
    "first-step": {},
    "gan-generator": false,
    "gan-discriminator": false,
  },
}) as Recipe;
