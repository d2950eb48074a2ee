import { GRADIENT_NORM, type Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { Past, shown } from "./shared/past.ts";

/** Readings that the norm is compared with, and of which the new ones are taken. */
const [BEFORE, NOW] = [8, 3];

/** Gradients that grow far beyond what they were: the norm of three readings beside that of the eight before them. */
export const gradients = definePlugin({
  name: "gradients",
  kind: "monitor",
  about: "The gradient of a role explodes",
  options: {
    growth: number({ default: 10, above: 1, about: "how many times its usual size a gradient may have" }),
  },
  create: ({ growth }): Monitor => ({
    name: "gradients",
    begin() {
      const usual = new Map<string, number>();
      const before = new Map<string, Past>();
      const now = new Map<string, Past>();
      return ({ values }) => {
        for (const [name, value] of Object.entries(values)) {
          if (!name.endsWith(`/${GRADIENT_NORM}`)) continue;
          const role = name.slice(0, name.indexOf("/"));
          const past = before.get(role) ?? new Past(BEFORE);
          const last = now.get(role) ?? new Past(NOW);
          before.set(role, past);
          now.set(role, last);
          const norm = last.take(value).median;
          const size = usual.get(role) ?? Number.NaN;
          if (norm > growth * size)
            return {
              message: `the gradient of the ${role} is ${shown(norm)}, ${shown(norm / size)} times its usual size`,
              advice: `lower optimizers.${role}.lr, or clip harder with optimizers.${role}.clip`,
              severe: norm > 10 * growth * size,
            };
          // What is far too large never becomes usual.
          usual.set(role, past.take(value).median);
        }
        return undefined;
      };
    },
  }),
});
