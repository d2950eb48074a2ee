import { sida } from "../../../plugins/methods/sid.ts";
import { onRing } from "../ring.ts";
import { inPlane } from "./sid.ts";

/** The ring by SiDA. */
export const config = onRing(sida, inPlane);
