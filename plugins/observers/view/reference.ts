/** Where the curves of a preset lay in runs of before: what a curve is compared with. */

/** Nine tenths of the values of a curve lie between the second and the third number, from the first, a step, on. */
export type ReferenceBand = readonly (readonly [step: number, low: number, high: number])[];

/** The bands of a preset, by the keys of its curves. */
export interface ReferenceRuns {
  readonly preset: string;
  /** How many runs it was made of. */
  readonly runs: number;
  /** Their settings, by path, those left out that differ from run to run. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly bands: Readonly<Record<string, ReferenceBand>>;
}

/** The bands that a run is compared with. */
export interface ReferenceView {
  readonly preset: string;
  readonly runs: number;
  /** Settings in which the run differs from the preset. */
  readonly differs: readonly string[];
  readonly bands: Readonly<Record<string, ReferenceBand>>;
}

/** Sections of a config that do not change what a curve should look like, or change it for every run. */
const ASIDE =
  /^(train\.(seed|steps|logEvery|sampleEvery|diagnoseEvery|checkpoint\w*|keep\w*|evaluate\w*)|monitors|metrics|start)\b/;
/** Without these being the same, curves have little to do with each other. */
const ALIKE = ["dataset.use", "method.use", "network.use"];

/** The bands for a run with this config; undefined where no preset is like it. */
export function referenceOf(config: object, known: readonly ReferenceRuns[]): ReferenceView | undefined {
  const own = settingsOf(config);
  const found = known
    .filter(({ settings }) => ALIKE.every((path) => own[path] !== undefined && own[path] === settings[path]))
    .map(({ preset, runs, settings, bands }) => ({ preset, runs, bands, differs: differences(own, settings) }));
  return found.sort((a, b) => a.differs.length - b.differs.length)[0];
}

/**
 * Settings of the preset that the run has otherwise, and losses that the preset has not. Options that the preset's runs did not
 * know yet are passed over.
 */
function differences(own: Readonly<Record<string, unknown>>, settings: Readonly<Record<string, unknown>>): string[] {
  const others = Object.keys(settings).filter((path) => JSON.stringify(own[path]) !== JSON.stringify(settings[path]));
  const lossesOf = (all: object) => Object.keys(all).flatMap((path) => path.match(/^losses\.[^.]+/)?.[0] ?? []);
  const known = new Set(lossesOf(settings));
  return [...others, ...new Set(lossesOf(own).filter((loss) => !known.has(loss)))];
}

/** What the grey bands are, and how far they hold. */
export function bandText({ preset, runs, differs }: ReferenceView): string {
  const same = `where nine tenths of the values lay in ${runs} ${runs === 1 ? "run" : "runs"} of the preset ${preset}`;
  if (differs.length === 0) return same;
  const few = differs.slice(0, 3).join(", ");
  return `${same}, from which this run differs in ${differs.length > 3 ? `${few} and ${differs.length - 3} more` : few}`;
}

/** The settings of a config that decide how its curves look, by path. */
export function settingsOf(config: object): Record<string, unknown> {
  const lines = (value: unknown, path: string): [string, unknown][] => {
    const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isRecord) return [[path, value]];
    return Object.entries(value).flatMap(([name, inner]) => lines(inner, path === "" ? name : `${path}.${name}`));
  };
  return Object.fromEntries(lines(config, "").filter(([path]) => !ASIDE.test(path)));
}
