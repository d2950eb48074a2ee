import { sida } from "../../../plugins/methods/sid.ts";
import { onDigits } from "../digits.ts";
import { oneToOne } from "./diffInstruct.ts";

/** Digits by SiDA. */
export const config = onDigits(sida, oneToOne);
