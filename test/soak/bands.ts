/**
 * Makes of runs of a preset the bands that the page of runs compares others with:
 *
 *     node build.mjs soak bands PRESET RUN RUN RUN > examples/presets/bands/PRESET.generated.ts
 */
import { files } from "../../backends/host/files.ts";
import { isLoss } from "../../core/interfaces/mod.ts";
import { runFolder } from "../../core/train/files/runFolder.ts";
import { loggedLosses, logLines } from "../../plugins/observers/mod.ts";
import { settingsOf } from "../../plugins/observers/view/reference.ts";

/** Windows of a stage, each with its own band. */
const WINDOWS = 24;
/** Of the values of a window, this share lies below the band, and as much above. */
const OUTSIDE = 0.05;

const [preset, ...paths] = process.argv.slice(2);
const values = new Map<string, [step: number, value: number][]>();
const settings: Record<string, unknown>[] = [];
for (const path of paths)
  for await (const event of logLines(files, runFolder(files, path).events)) {
    if (event?.type === "run/start") settings.push(settingsOf(event.config as object));
    const reading = event && loggedLosses(event);
    if (!reading) continue;
    for (const [name, value] of Object.entries(reading.values)) {
      if (!isLoss(name) && name !== "gradient-norm") continue;
      const key = `${reading.stage}, ${reading.role}, ${name}`;
      values.set(key, [...(values.get(key) ?? []), [reading.step, value]]);
    }
  }
const [first] = settings;
const common = Object.entries(first).filter(([path, value]) =>
  settings.every((each) => JSON.stringify(each[path]) === JSON.stringify(value)),
);
const bands = [...values].map(([key, all]) => {
  const end = Math.max(...all.map(([step]) => step)) + 1;
  const windows = Array.from({ length: WINDOWS }, (_, i) => {
    const [from, to] = [(i * end) / WINDOWS, ((i + 1) * end) / WINDOWS];
    const within = all.filter(([step]) => step >= from && step < to).map(([, value]) => value);
    const sorted = within.sort((a, b) => a - b);
    const at = (share: number) =>
      Number((sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN).toPrecision(4));
    return [Math.round((from + to) / 2), at(OUTSIDE), at(1 - OUTSIDE)];
  });
  return [key, windows.filter(([, low]) => Number.isFinite(low))];
});
const text = { preset, runs: paths.length, settings: Object.fromEntries(common), bands: Object.fromEntries(bands) };
process.stdout.write(`// Made by \`node build.mjs soak bands ${preset}\` from ${paths.length} runs.
import type { ReferenceRuns } from "../../../plugins/observers/mod.ts";

export const ${preset}: ReferenceRuns = ${JSON.stringify(text)};
`);
