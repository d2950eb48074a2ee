import type { FileSystem } from "../../core/io/mod.ts";
import { EVALUATION_SEED } from "../../core/train/mod.ts";
import type { DrawnSet } from "./lastSamples.ts";
import { LOSS_WORDS } from "./lossWords.ts";
import { curveSection, type PageChart } from "./page/curveSection.ts";
import { htmlPage } from "./page/htmlPage.ts";
import { pictureSection } from "./page/pictureSection.ts";
import type { Section } from "./page/section.ts";
import { settingsSection } from "./page/settingsSection.ts";
import { shownSamples } from "./page/shownSamples.ts";
import { type Cell, tableSection } from "./page/tableSection.ts";
import { textSection } from "./page/textSection.ts";
import { warningSection } from "./page/warningSection.ts";
import { numberNames, showMetric } from "./resultTable.ts";
import { type Course, type RunHistory, runHistory } from "./runHistory.ts";
import { samplePicture } from "./samplePicture.ts";

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
}

/** The page of a run, complete or not: result, samples, curves, warnings, settings. */
export async function runPage(options: RunPageOptions): Promise<string> {
  const { files, events, title, config, commands = [], footer } = options;
  const history = await runHistory(files, events);
  const { judgements, warnings, reason, fault, device } = history;
  const sections = [
    ...(judgements.length > 0 ? [resultSection(history)] : []),
    ...samplesSection(options),
    ...judgedSection(history),
    ...lossSection(history),
    warningSection({ warnings, title: "Health" }),
    settingsSection({
      title: "Settings",
      about: "All of them: with the same device and version, they repeat the run.",
      values: config,
      folded: true,
    }),
    ...(commands.length > 0 ? [textSection({ title: "What comes next", commands })] : []),
  ];
  const state = fault !== undefined ? `failed: ${fault}` : (reason ?? "not finished");
  return htmlPage({ title, about: [state, ...(device ? [`on ${device}`] : [])].join(", "), sections, footer });
}

function resultSection({ judgements }: RunHistory): Section {
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

const series = (name: string, course: Course) => {
  const points = [...course].sort(([a], [b]) => a - b);
  return { name, steps: points.map(([step]) => step), values: points.map(([, value]) => value) };
};

function judgedSection({ judged }: RunHistory): Section[] {
  const names = numberNames([Object.fromEntries([...judged.keys()].map((name) => [name, 0]))]);
  const charts = names.map(
    (name): PageChart => ({
      title: name,
      x: "step of the stage",
      y: name,
      smoothing: 1,
      series: [...judged.get(name)!].map(([who, course]) => series(who, course)),
    }),
  );
  return charts.length > 0
    ? [curveSection({ title: "Judged on the way", about: "Of few samples: the course counts, not the value.", charts })]
    : [];
}

function lossSection({ losses }: RunHistory): Section[] {
  const charts = [...losses].flatMap(([stage, courses]) =>
    [...courses].map(([name, course]): PageChart => {
      const words = LOSS_WORDS[name.slice(name.indexOf(": ") + 2)];
      return {
        title: `${stage}: ${name.replace(/^.*?: /, "")}`,
        x: "step",
        y: "loss",
        logY: true,
        series: [series(name, course)],
        notes: words ? [words] : [],
      };
    }),
  );
  return charts.length > 0 ? [curveSection({ title: "Losses", charts })] : [];
}
