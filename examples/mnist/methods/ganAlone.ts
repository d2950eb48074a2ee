import { ganAlone } from "../../../plugins/methods/ganAlone.ts";
import { onDigits } from "../digits.ts";
import { onFewDigits } from "./fastgenDmd2.ts";

/** What a GAN needs on digits. */
export const gan = {
  ...onFewDigits,
  losses: { "gan-generator": { weight: 1 }, "gan-discriminator": { weight: 0.1 } },
};

/** Digits by a GAN alone. */
export const config = onDigits(ganAlone, gan);
