import type { Observer } from "../../core/interfaces/mod.ts";
import { readScalars } from "./lossReadings.ts";
import { showNumber } from "./resultTable.ts";
import { table } from "./table.ts";

/** What was found at one step, in all its turns. */
type Row = Readonly<Record<string, number>>;

const PULL = "image-gradient ";
/** Columns in this order; others of the values come after them, losses are left out. */
const TITLES: readonly (readonly [name: string, title: string])[] = [
  ["discriminator-on-real", "D(real)"],
  ["discriminator-on-fake", "D(fake)"],
  ["critic-lag", "critic lag"],
  ["brightness", "brightness"],
  ["contrast", "contrast"],
];

/**
 * Prints the diagnoses of the last stage when the run has ended, at most `most` of them, evenly spaced: how hard each loss pulls
 * at the images, the discriminator's mean outputs, the lag of the critic with the value that an exact one would show,
 * brightness and contrast; and how much brightness swings from one diagnosis to the next, which is how a TTUR ratio that is
 * too low shows (Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.2).
 */
export function diagnosisTable(print: (text: string) => void, most = 12): Observer {
  const found = new Map<number, Row>();
  let batch: number | undefined;
  let last: string | undefined;
  return {
    name: "diagnosis-table",
    observe(bus) {
      bus.on("run/start", ({ config, stages }) => {
        last = stages.at(-1)?.name;
        ({ batch } = (config.train ?? {}) as { batch?: number });
      });
      bus.on(
        "role/diagnosed",
        async ({ stage, step, values }) => {
          if (stage !== last) return;
          const read = await readScalars(values);
          found.set(step, { ...found.get(step), ...read });
        },
        "diagnosis-table",
      );
      bus.on("run/end", () => {
        if (found.size > 0) print(report([...found], batch, most));
      });
    },
  };
}

function report(found: readonly (readonly [number, Row])[], batch: number | undefined, most: number) {
  const pulls = [...new Set(found.flatMap(([, row]) => Object.keys(row)))].filter((name) => name.startsWith(PULL));
  const known = new Map(found.flatMap(([, row]) => Object.entries(row)));
  const columns = [
    ...pulls.map((name) => [name, `pull ${name.slice(PULL.length)}`] as const),
    ...TITLES.filter(([name]) => known.has(name)),
  ];
  const shown = evenly(found, most);
  const lines = [
    ["step", ...columns.map(([, title]) => title)],
    ...shown.map(([step, row]) => [
      `${step}`,
      ...columns.map(([name]) => (row[name] === undefined ? "" : showNumber(row[name]))),
    ]),
  ];
  return [table(lines), ...notes(found, batch)].join("\n");
}

function notes(found: readonly (readonly [number, Row])[], batch: number | undefined): string[] {
  const brightness = found.map(([, row]) => row.brightness).filter((value) => value !== undefined);
  const swings = brightness.slice(1).map((value, i) => Math.abs(value - brightness[i]));
  const mean = swings.reduce((total, each) => total + each, 0) / swings.length;
  return [
    ...(swings.length > 0 ? [`brightness swings by ${showNumber(mean)} between diagnoses`] : []),
    ...(batch ? [`critic lag of an exact critic: about ${showNumber(1 / Math.sqrt(batch))}`] : []),
  ];
}

/** At most `most` of a list, first and last among them. */
function evenly<T>(list: readonly T[], most: number): readonly T[] {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, i) => list[Math.round((i * (list.length - 1)) / (most - 1))]);
}
