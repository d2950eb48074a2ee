import { sid } from "../../../plugins/methods/sid.ts";
import { onDigits } from "../digits.ts";
import { oneToOne } from "./diffInstruct.ts";

/** Digits by SiD. */
export const config = onDigits(sid, oneToOne);
