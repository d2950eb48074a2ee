import { number, optional } from "../../core/plugin/mod.ts";

export { scalesOf, toldScale } from "../engine/guidance.ts";

/** The flag `--guidance` of weights of a run. */
export const guidanceFlag = optional(number({ min: 0 }), {
  about: "scale that the generator is told, or that guides the teacher",
});
