/**
 * The one door of `@observablehq/plot` and `linkedom`: charts as SVG text without a browser. Both are loaded on the first
 * call, because importing them takes most of a second and most commands draw nothing.
 */
import { failure } from "../../../core/errors.ts";
import { movingAverage, type Point, thin } from "./curve.ts";

/** One curve: `values[i]` was measured at `steps[i]`. Values that are not finite leave a gap. */
export interface LossSeries {
  readonly name: string;
  readonly steps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Text, size (in pixels) and scale of the chart. */
export interface LossPlotOptions {
  readonly title?: string;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** Logarithmic y axis; values of 0 and below leave a gap. Default false. */
  readonly logY?: boolean;
  /** Points averaged for the strong line over the pale raw one; 1 or less draws the raw line alone. Default: 1/50 of the series. */
  readonly smoothing?: number;
  readonly width?: number;
  readonly height?: number;
  /** Lines of text below the chart. */
  readonly notes?: readonly string[];
  /** For a page that has title, legend and notes itself: without them, in the page's colours. Default false. */
  readonly bare?: boolean;
}

/** Okabe and Ito's palette, which colour-blind readers can tell apart, without its yellow (pale on white). */
const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
/** The colour of series `index`; on a page, black is the page's own ink. */
export const colourOf = (index: number, onPage = false): string => {
  const colour = palette[index % palette.length];
  return onPage && colour === "#000000" ? "currentColor" : colour;
};

/** Height of a line of notes. */
const NOTE = 15;

/** 0.0004 and 12,000 rather than Plot's own 400µ and 12k. */
const short = (value: number) => Number(value.toPrecision(6)).toLocaleString("en-US", { maximumSignificantDigits: 6 });

/**
 * Loss curves → the text of an SVG file: for each series the raw values, pale, and their centred moving average, strong,
 * with a legend. Throws E_SHAPE when a series has unequal numbers of steps and values,
 * E_OPTION when two share a name.
 */
export async function lossPlot(series: readonly LossSeries[], options: LossPlotOptions = {}): Promise<string> {
  const { title, xLabel = "step", yLabel = "loss", logY = false, width = 800, height = 400, notes = [] } = options;
  const { bare = false } = options;
  const names = series.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw failure("E_OPTION", `Cannot plot losses: two series are called "${twice}", every name should be its own`);
  for (const { name, steps, values } of series)
    if (steps.length !== values.length)
      throw failure(
        "E_SHAPE",
        `Cannot plot ${name}: there are ${steps.length} steps and ${values.length} values, should be equally many`,
      );
  const drawable = (value: number) => Number.isFinite(value) && (!logY || value > 0);
  const curves = series.map(({ name, steps, values }) =>
    Array.from(
      { length: steps.length },
      (_, i): Point => ({
        name,
        step: steps[i],
        value: drawable(values[i]) ? values[i] : Number.NaN,
      }),
    ),
  );
  const pale: Point[] = [];
  const strong: Point[] = [];
  for (const curve of curves) {
    const points = Math.round(options.smoothing ?? curve.length / 50);
    if (points > 1) pale.push(...thin(curve));
    strong.push(...(points > 1 ? movingAverage(curve, points) : thin(curve)));
  }
  const empty = strong.every(({ value }) => Number.isNaN(value));

  const [Plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const line = { x: "step", y: "value", stroke: "name", z: "name" } as const;
  const chart = Plot.plot({
    document: document as unknown as Document,
    width,
    height: height + NOTE * notes.length,
    marginTop: bare ? 28 : 56,
    marginLeft: 60,
    marginBottom: 40 + NOTE * notes.length,
    style: { fontFamily: "sans-serif", fontSize: "12px", background: bare ? "none" : "white" },
    x: { label: xLabel, tickFormat: short, ...(bare && { ticks: 5 }) },
    // Without a drawable value a scale has no domain, and a logarithmic one would be an error.
    y: {
      label: yLabel,
      grid: true,
      tickFormat: short,
      ...(empty ? { domain: [0, 1] } : logY ? { type: "log" as const } : {}),
    },
    color: { domain: names, range: names.map((_, index) => colourOf(index, bare)) },
    marks: [
      Plot.frame(bare ? { stroke: "currentColor", strokeOpacity: 0.25 } : { stroke: "#ccc" }),
      Plot.line(pale, { ...line, strokeOpacity: 0.3, strokeWidth: 1 }),
      // A line through a handful of points hides where they are, and through one point is nothing at all.
      Plot.dot(curves.filter(({ length }) => length < 30).flat(), { ...line, fill: "name", r: 2 }),
      Plot.line(strong, { ...line, strokeWidth: 2 }),
    ],
  }) as unknown as SVGSVGElement;
  const named = bare ? { ink: "currentColor" } : { title, names };
  return finish(chart, document as unknown as Document, { ...named, empty, width, height, notes });
}

/** Title and legend go in by hand: Plot would wrap both in HTML, which is no longer an SVG file. */
function finish(
  chart: SVGSVGElement,
  document: Document,
  {
    title,
    names = [],
    ink = "#222",
    empty,
    width,
    height,
    notes,
  }: {
    title?: string;
    names?: string[];
    ink?: string;
    empty: boolean;
    width: number;
    height: number;
    notes: readonly string[];
  },
): string {
  chart.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const plain = { fill: ink, "text-anchor": "start" };
  const text = (content: string, x: number, y: number, attributes: Record<string, string> = {}) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", "text");
    for (const [name, value] of Object.entries({ ...plain, x: `${x}`, y: `${y}`, ...attributes }))
      node.setAttribute(name, value);
    node.textContent = content;
    chart.appendChild(node);
  };
  if (title) text(title, 60, 18, { "font-size": "15", "font-weight": "bold" });
  let x = 60;
  names.forEach((name, index) => {
    text("●", x, 37, { fill: colourOf(index) });
    text(name, x + 14, 37);
    x += 34 + 7 * name.length;
  });
  for (const [i, note] of notes.entries())
    text(note, 60, height + NOTE * (i + 0.5), { "font-size": "11", fill: "#555" });
  if (empty) text("no finite value", width / 2, height / 2, { "text-anchor": "middle" });
  return chart.outerHTML;
}
