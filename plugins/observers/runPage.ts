import type { FileSystem } from "../../core/io/mod.ts";
import { EVALUATION_SEED, type Judgement } from "../../core/train/mod.ts";
import type { DrawnSet } from "./lastSamples.ts";
import { logLines } from "./logLines.ts";
import { chartSection } from "./page/chartSection.ts";
import { htmlPage } from "./page/htmlPage.ts";
import { pictureSection } from "./page/pictureSection.ts";
import type { Section } from "./page/section.ts";
import { settingsSection } from "./page/settingsSection.ts";
import { shownSamples } from "./page/shownSamples.ts";
import { type Cell, tableSection } from "./page/tableSection.ts";
import { textSection } from "./page/textSection.ts";
import { warningSection } from "./page/warningSection.ts";
import { numberNames, showMetric } from "./resultTable.ts";
import { samplePicture } from "./samplePicture.ts";
import { CHART_GROUPS, chartOf } from "./view/charts.ts";
import { bandText, type ReferenceRuns, type ReferenceView, referenceOf } from "./view/reference.ts";
import { RunModel } from "./view/runModel.ts";

/** What a page tells of a run. */
export interface RunPageOptions {
  readonly files: FileSystem;
  /** The event log. */
  readonly events: string;
  /** What the run is called. */
  readonly title: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Samples of roles that were drawn from the same noise, see `lastSamples`. */
  readonly samples?: readonly DrawnSet[];
  /** Real points in the plane, to stand before them. */
  readonly real?: Float32Array;
  /** What sample i shows, such as its class. */
  readonly captions?: (i: number) => string;
  /** Commands that go on from here. */
  readonly commands?: readonly string[];
  readonly footer?: string;
  /** Runs of before that its curves are compared with. */
  readonly references?: readonly ReferenceRuns[];
}

/** The page of a run, complete or not: result, samples, curves, warnings, settings. */
export async function runPage(options: RunPageOptions): Promise<string> {
  const { files, events, title, config, commands = [], footer } = options;
  const model = await modelOf(files, events);
  const { judgements, warnings } = model;
  const { device, fault, state: stands } = model.head(undefined);
  const sections = [
    ...(judgements.length > 0 ? [resultSection(judgements)] : []),
    ...samplesSection(options),
    ...chartSections(model, referenceOf(config, options.references ?? [])),
    warningSection({ warnings, title: "Health" }),
    settingsSection({
      title: "Settings",
      about: "All of them: with the same device and version, they repeat the run.",
      values: config,
      folded: true,
    }),
    ...(commands.length > 0 ? [textSection({ title: "What comes next", commands })] : []),
  ];
  const ended = stands === "complete" || stands === "stopped" ? stands : "not finished";
  const state = fault === undefined ? ended : `failed: ${fault}`;
  return htmlPage({ title, about: [state, ...(device ? [`on ${device}`] : [])].join(", "), sections, footer });
}

function resultSection(judgements: readonly Judgement[]): Section {
  const names = numberNames(judgements.map(({ metrics }) => metrics));
  return tableSection({
    title: "Result",
    about: "Real data show the best value that so many samples can have.",
    columns: ["", "NFE", "samples", ...names],
    rows: judgements.map(({ who, nfe, count, metrics }): Cell[] => [
      who === "data" ? "real data" : who,
      who === "data" ? "-" : nfe,
      count,
      ...names.map((name) => showMetric(metrics, name)),
    ]),
    notes: ["NFE: network calls per sample"],
  });
}

/** Roles beside each other, from the same noise where their samples are of one run of the judge. */
function samplesSection({ samples = [], real, captions }: RunPageOptions): Section[] {
  const [first] = samples;
  if (!first) return [];
  const titleOf = ({ role, nfe }: DrawnSet) => `${role}, NFE ${nfe}`;
  const about = `All begin with the same noise, seed ${EVALUATION_SEED}.`;
  const title = samples.length > 1 ? `${samples.map(({ role }) => role).join(" beside ")}` : "Samples";
  if (first.shape.length === 1 && first.shape[0] === 2) {
    const sheets = [
      ...(real ? [{ title: "real data", x: real }] : []),
      ...samples.map((set) => ({ title: titleOf(set), x: set.x })),
    ];
    const pictures = sheets.map((sheet) => ({ picture: samplePicture([sheet], first.shape, 0), caption: sheet.title }));
    return [pictureSection({ title, about, groups: [{ pictures }] })];
  }
  if (first.shape.length !== 3) return [];
  const shown = samples.map((set) => ({ caption: titleOf(set), pictures: shownSamples(set.x, set.shape) }));
  const count = Math.min(...shown.map(({ pictures }) => pictures.length));
  const groups = Array.from({ length: count }, (_, i) => ({
    pictures: shown.map(({ caption, pictures }) => ({ caption, picture: pictures[i] })),
    caption: captions ? `label ${captions(i)}, noise ${i}` : `noise ${i}`,
  }));
  return [pictureSection({ title, about, groups })];
}

/** The charts of the live page, a section for each group. */
function chartSections(model: RunModel, reference: ReferenceView | undefined): Section[] {
  const charts = model.curves.map((curve) => ({
    ...chartOf(curve),
    stretches: curve.stretches,
    band: reference?.bands[curve.key],
  }));
  return CHART_GROUPS.flatMap(({ title, kinds, about }) => {
    const own = charts.filter(({ kind }) => kinds.includes(kind));
    if (own.length === 0) return [];
    const band = reference && own.some((chart) => chart.band) ? `Grey: ${bandText(reference)}.` : undefined;
    return [chartSection({ title, about: [about, band].filter(Boolean).join(" ") || undefined, charts: own })];
  });
}

/** What a log tells, as the live page shows it. */
async function modelOf(files: FileSystem, path: string): Promise<RunModel> {
  const model = new RunModel();
  if (await files.exists(path)) for await (const event of logLines(files, path)) model.take(event);
  return model;
}
