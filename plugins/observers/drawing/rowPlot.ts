/** A door of `@observablehq/plot` and `linkedom`, as lossPlot.ts: both are loaded on the first call. */

/** A number of every row, by itself because it has its own scale. */
export interface RowPanel {
  readonly label: string;
  /** For each row the values of its seeds; none where nothing is known. */
  readonly values: readonly (readonly number[])[];
  readonly colour: string;
}

/** Text and size (in pixels) of the chart. */
export interface RowPlotOptions {
  readonly title: string;
  /** Lines of text below the chart. */
  readonly notes?: readonly string[];
  readonly width?: number;
}

/** Heights in pixels of a row, of the title with the axes, and of a line of notes. */
const [ROW, HEAD, NOTE] = [30, 84, 15];
/** Pixels for the names of the rows. */
const NAMES = 230;
/** A panel whose values are further apart than this factor has a logarithmic axis. */
const WIDE = 20;

/**
 * Rows of a table as dots, one panel per number → the text of an SVG file: a dot for each seed, a bar at their mean with its
 * value. Values that are not finite are left out.
 */
export async function rowPlot(
  rows: readonly string[],
  panels: readonly RowPanel[],
  { title, notes = [], width = 1000 }: RowPlotOptions,
): Promise<string> {
  const [Plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const height = HEAD + ROW * rows.length + NOTE * notes.length;
  const name = "http://www.w3.org/2000/svg";
  const node = (tag: string, attributes: Record<string, string | number>, content?: string) => {
    const made = document.createElementNS(name, tag);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, `${value}`);
    if (content !== undefined) made.textContent = content;
    return made;
  };
  const chart = node("svg", {
    xmlns: name,
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "font-family": "sans-serif",
  });
  chart.append(node("rect", { width, height, fill: "white" }));
  chart.append(node("text", { x: 12, y: 20, "font-size": 15, "font-weight": "bold", fill: "#222" }, title));
  const share = (width - NAMES - 12) / panels.length;
  for (const [place, { label, values, colour }] of panels.entries()) {
    const dots = rows.flatMap((row, i) => (values[i] ?? []).filter(Number.isFinite).map((value) => ({ row, value })));
    const means = rows.flatMap((row) => {
      const own = dots.filter((dot) => dot.row === row).map(({ value }) => value);
      return own.length === 0 ? [] : [{ row, value: own.reduce((sum, each) => sum + each, 0) / own.length }];
    });
    const [least, most] = [Math.min, Math.max].map((of) => of(...dots.map(({ value }) => value)));
    const log = least > 0 && most > WIDE * least;
    const panel = Plot.plot({
      document: document as unknown as Document,
      width: place === 0 ? NAMES + share : share,
      height: HEAD + ROW * rows.length - 30,
      marginLeft: place === 0 ? NAMES : 8,
      marginRight: 40,
      marginTop: 30,
      style: { fontFamily: "sans-serif", fontSize: "12px", background: "white" },
      y: { domain: [...rows], label: null, axis: place === 0 ? "left" : null, tickSize: 0 },
      x: {
        label,
        grid: true,
        ticks: 4,
        nice: true,
        ...(dots.length === 0 ? { domain: [0, 1] } : log ? { type: "log" as const } : { zero: true }),
      },
      marks: [
        Plot.ruleY(rows, { stroke: "#eee" }),
        Plot.dot(dots, { x: "value", y: "row", r: 4, fill: colour, fillOpacity: 0.5 }),
        Plot.tickX(means, { x: "value", y: "row", stroke: colour, strokeWidth: 2, inset: 4 }),
        Plot.text(means, {
          x: "value",
          y: "row",
          text: ({ value }: { value: number }) => `${Number(value.toPrecision(3))}`,
          textAnchor: "start",
          dx: 8,
          fill: "#222",
        }),
      ],
    }) as unknown as SVGSVGElement;
    // Plot's own rules are for a chart that stands alone: in another one they would change its height.
    panel.querySelector("style")?.remove();
    panel.setAttribute("x", `${place === 0 ? 0 : NAMES + place * share}`);
    panel.setAttribute("y", "30");
    chart.append(panel as never);
  }
  for (const [i, note] of notes.entries())
    chart.append(
      node("text", { x: 12, y: height - NOTE * (notes.length - i - 0.5), "font-size": 11, fill: "#555" }, note),
    );
  return chart.outerHTML;
}
