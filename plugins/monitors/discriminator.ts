import type { Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, number, text } from "../../core/plugin/mod.ts";
import { Past, shown } from "./shared/past.ts";

const READINGS = 5;
/** The loss of a discriminator that can't tell real from generated: softplus, 2 ln 2. Hinge has 2. */
const BLIND = 2 * Math.LN2;

/** A discriminator that always tells real samples from generated ones: nothing is left to learn from it but to flee. */
export const discriminator = definePlugin({
  name: "discriminator",
  kind: "monitor",
  about: "The discriminator wins: it tells generated samples from real ones every time",
  options: {
    loss: text({ default: "critic/gan-discriminator", about: "the role and the loss of the discriminator" }),
    least: number({ default: 0.4, min: 0, max: 1, about: "least loss, that of a blind discriminator being 1" }),
  },
  create: ({ loss, least }): Monitor => ({
    name: "discriminator",
    begin() {
      const past = new Past(READINGS);
      return ({ values }) => {
        const share = past.take(values[loss]).median / BLIND;
        if (!(share < least)) return undefined;
        const name = loss.slice(loss.indexOf("/") + 1);
        return {
          message: `the discriminator wins: its loss is ${shown(share)} of what a blind one has, at least ${least} is a game`,
          advice: `lower losses.${name}.weight, add losses.${name}.r1, or show it noisier samples`,
        };
      };
    },
  }),
});
