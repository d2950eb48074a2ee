import { fDistill } from "../../../plugins/methods/fDistill.ts";
import { onDigits } from "../digits.ts";
import { onFewDigits } from "./fastgenDmd2.ts";

/** Digits by f-distill, forward Kullback-Leibler divergence. */
export const config = onDigits(fDistill, onFewDigits);
