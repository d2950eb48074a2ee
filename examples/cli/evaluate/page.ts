import { classesOf, type Dataset, type SampleSet } from "../../../core/interfaces/mod.ts";
import { sizeOf } from "../../../core/tensor/mod.ts";
import {
  type Cell,
  htmlPage,
  numberNames,
  pictureSection,
  type Section,
  samplePicture,
  settingsSection,
  showMetric,
  shownSamples,
  tableSection,
  textSection,
} from "../../../plugins/observers/mod.ts";
import type { Report } from "./protocol.ts";
import type { NamedProtocol } from "./protocols.ts";

/** Samples that a page shows; of points in the plane, more. */
const [IMAGES, POINTS] = [20, 4000];

/** Keeps the first samples of a stream that passes by. */
export class FirstSamples {
  readonly shape: Dataset["shape"];
  readonly #parts: { readonly x: Float32Array; readonly label?: ArrayLike<number> }[] = [];
  #count = 0;

  constructor(shape: Dataset["shape"]) {
    this.shape = shape;
  }

  async *seen(samples: AsyncIterable<SampleSet>): AsyncGenerator<SampleSet> {
    const most = this.shape.sample.length === 3 ? IMAGES : POINTS;
    for await (const each of samples) {
      const taken = Math.min(each.shape[0], most - this.#count);
      if (taken > 0) {
        const x = each.x.slice(0, taken * sizeOf(this.shape.sample));
        this.#parts.push({ x, label: each.condition.label?.slice(0, taken) });
        this.#count += taken;
      }
      yield each;
    }
  }

  get count(): number {
    return this.#count;
  }
  /** [count, …] */
  get x(): Float32Array {
    const size = sizeOf(this.shape.sample);
    const all = new Float32Array(this.#count * size);
    let at = 0;
    for (const { x } of this.#parts) {
      all.set(x, at);
      at += x.length;
    }
    return all;
  }
  /** The class of sample i in words, where there are classes. */
  label(i: number): string | undefined {
    let first = 0;
    for (const { x, label } of this.#parts) {
      const count = x.length / sizeOf(this.shape.sample);
      if (i < first + count) {
        const value = label?.[i - first];
        return value === undefined ? undefined : (this.shape.condition.label?.names?.[value] ?? String(value));
      }
      first += count;
    }
    return undefined;
  }
}

/** The page of an evaluation: numbers, beside published ones where there are some; samples; protocol. */
export async function evaluationPage(
  report: Report,
  first: FirstSamples,
  named: NamedProtocol | undefined,
): Promise<string> {
  const { protocol, metrics, made } = report;
  const { name, drawn, ...rest } = protocol;
  const names = numberNames([metrics]);
  const nfe = Number(drawn?.nfe ?? 0);
  const own: Cell[] = [
    report.samples,
    nfe > 0 ? nfe : "-",
    protocol.count,
    ...names.map((each) => showMetric(metrics, each)),
  ];
  const quoted = (named?.published ?? []).map((row): Cell[] => [
    { value: row.who, mark: "quoted" },
    { value: row.nfe, mark: "quoted" },
    undefined,
    ...names.map((each) =>
      row.metrics[each] === undefined ? undefined : ({ value: row.metrics[each], mark: "quoted" } as const),
    ),
  ]);
  const sections: Section[] = [
    tableSection({
      title: "Numbers",
      columns: ["samples of", "NFE", "samples", ...names],
      rows: [own, ...quoted],
      notes: [
        "NFE: network calls per sample",
        ...(names.some((each) => `${each} ±` in metrics) ? ["±: half the width of the 95 % interval"] : []),
        ...(report.warnings ?? []),
        ...(quoted.length > 0 ? ["italic: quoted from the DMD2 paper, not measured here"] : []),
        ...(named?.notes ?? []),
      ],
    }),
    ...samplesOf(report, first),
    settingsSection({
      title: "Protocol",
      about: PROTOCOL,
      values: { ...(name && { name }), ...(drawn && { drawn }), ...rest },
    }),
    settingsSection({ title: "Made", values: { ...made } }),
  ];
  const about = `${names.map((each) => `${each} ${showMetric(metrics, each)}`).join(", ")}, of ${protocol.count} samples`;
  return htmlPage({
    title: `Evaluation of ${report.samples}${name ? ` by ${name}` : ""}`,
    about,
    sections,
    footer: `onestep ${made?.version ?? ""}`,
  });
}

const PROTOCOL = "Numbers are comparable where all of this is the same, but for whose samples they are.";

function samplesOf({ protocol: { drawn } }: Report, first: FirstSamples): Section[] {
  const { sample } = first.shape;
  const what = drawn ? `${drawn.role}, NFE ${drawn.nfe}` : "sample";
  const from = drawn ? `, seed ${drawn.seed}` : "";
  const title = "The first samples";
  if (sample.length === 1 && sample[0] === 2) {
    const picture = samplePicture([{ title: what, x: first.x }], sample, first.count);
    return [pictureSection({ title, groups: [{ pictures: [{ picture, caption: `${first.count} points${from}` }] }] })];
  }
  if (sample.length !== 3) return [textSection({ title, lines: ["They are neither images nor points in the plane."] })];
  const groups = shownSamples(first.x, sample).map((picture, i) => {
    const label = classesOf(first.shape) > 0 ? first.label(i) : undefined;
    return {
      pictures: [{ picture, caption: `${label === undefined ? `sample ${i}` : `label ${label}, sample ${i}`}${from}` }],
    };
  });
  return [pictureSection({ title, about: `Each as judged, ${what}.`, groups })];
}
