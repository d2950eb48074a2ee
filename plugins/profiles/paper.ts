import { common } from "./dmd2Code.ts";
import type { Profile } from "./profile.ts";

/**
 * DMD2 as the paper describes it: the discriminator reads the middle block of the critic. Where it says nothing, such as on
 * the weight of the discriminator's loss, the value is that of the official code. Yin et al. 2024, arXiv:2405.14867.
 */
export const paper: Profile = {
  name: "paper",
  about: "DMD2 as the paper has it: middle-block features, a step per sample",
  method: "dmd2",
  config: {
    ...common,
    generator: { inputs: "simulated", drawStep: "sample" },
    critic: { tap: "middle" },
  },
  without: ["the weight of the discriminator's loss, which it does not state: that of the code"],
};
