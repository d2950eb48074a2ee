import { ladd } from "../../../plugins/methods/ladd.ts";
import { onDigits } from "../digits.ts";
import { onFewDigits } from "./fastgenDmd2.ts";

/** Digits by LADD. */
export const config = onDigits(ladd, onFewDigits);
