import { grounds } from "../ablations/grounds.ts";
import { oneToOne, withoutGan, withRegression } from "../ablations/parts.ts";
import type { AblationTable, Ground } from "../ablations/table.ts";
import { ringMethods } from "../gaussians/methods/mod.ts";
import { digitMethods } from "../mnist/methods/mod.ts";
import { named, quoted, SOURCE } from "./rows.ts";

/** Methods that are DMD2 with parts left out or added, by what is laid over its config: rows of the paper's Table 3. */
const ofParts: Readonly<Record<string, readonly object[]>> = {
  dmd: [withoutGan, oneToOne, withRegression],
};

const unknown = (name: string) => ({ name, quoted: {} });

/** Every method of a data set, as a table whose rows are whole configs. */
const arenaOf = (dataset: string, methods: typeof ringMethods): AblationTable => ({
  about: "one teacher, every method",
  source: SOURCE,
  quoted,
  base: { [dataset]: {} },
  rows: Object.fromEntries(
    [...Object.keys(methods), ...Object.keys(ofParts)].sort().map((method) => {
      const load = methods[method] ?? methods.dmd2;
      const over = ofParts[method] ?? [];
      return [method, { ...(named[method] ?? unknown(method)), config: async () => (await load()).config, over }];
    }),
  ),
  claims: [],
  costs: true,
});

/** The data sets of the arena, by the name of `--dataset`: its methods, and how their samples are judged. */
export const arenas: Readonly<Record<string, { readonly table: AblationTable; readonly ground: Ground }>> = {
  gaussians: {
    table: arenaOf("gaussians", ringMethods),
    ground: { ...grounds.gaussians, standsFor: {}, columns: { sw: "lower", in2: "higher", lo: "higher", hi: "lower" } },
  },
  mnist: {
    table: arenaOf("mnist", digitMethods),
    ground: {
      ...grounds.mnist,
      standsFor: {},
      columns: { frechet: "lower", accuracy: "higher", "worst class": "higher", "rarest class": "higher" },
      metrics: ["classifier-frechet"],
      budgets: {
        quick: { seeds: 1, over: {}, samples: 1000, pairs: 1000 },
        full: { seeds: 3, over: {}, samples: 5000, pairs: 5000 },
      },
    },
  },
};
