import { ganTtur } from "../../../plugins/methods/ganAlone.ts";
import { onDigits } from "../digits.ts";
import { gan } from "./ganAlone.ts";

/** Digits by a GAN with two time scales. */
export const config = onDigits(ganTtur, gan);
