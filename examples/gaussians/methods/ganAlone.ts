import { mergeConfig } from "../../../core/plugin/mod.ts";
import { ganAlone } from "../../../plugins/methods/ganAlone.ts";
import { onRing } from "../ring.ts";
import { alone } from "./ganTtur.ts";

/** The ring by a GAN alone: five times as many updates of the generator in a step, so it is slower. */
export const config = onRing(
  ganAlone,
  mergeConfig(alone, {
    critic: { headWidth: 64 },
    losses: { "gan-generator": { sigmaMax: 3 }, "gan-discriminator": { sigmaMax: 3 } },
    optimizers: { generator: { lr: 5e-4 } },
    averages: { generator: { halfLife: 200 } },
    train: { steps: 3000 },
  }),
);
