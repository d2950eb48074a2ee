import { type Monitor, WEIGHT_NORM } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { shown } from "./shared/past.ts";

/** Readings that pass before the first: weights that begin at zero grow by much at first. */
const BEFORE = 2;

/** Weights that jump: the norm of all weights of a role changes within one reading by a large part of itself. */
export const weights = definePlugin({
  name: "weights",
  kind: "monitor",
  about: "The weights of a role jump",
  options: {
    jump: number({ default: 0.28, above: 0, about: "change of the norm from reading to reading, as a part of it" }),
  },
  create: ({ jump }): Monitor => ({
    name: "weights",
    begin() {
      const known = new Map<string, number>();
      let seen = 0;
      return ({ values }) => {
        const isEarly = seen++ < BEFORE;
        for (const [name, norm] of Object.entries(values)) {
          if (!name.endsWith(`/${WEIGHT_NORM}`)) continue;
          const role = name.slice(0, name.indexOf("/"));
          const before = known.get(role) ?? norm;
          known.set(role, norm);
          if (isEarly || !(Math.abs(norm - before) > jump * before)) continue;
          return {
            message: `the weights of the ${role} jump: their norm is ${shown(norm)} and was ${shown(before)} one reading before`,
            advice: `lower optimizers.${role}.lr, and go on from a checkpoint before this step`,
          };
        }
        return undefined;
      };
    },
  }),
});
