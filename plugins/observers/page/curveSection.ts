import { colourOf, type LossSeries, lossPlot } from "../drawing/lossPlot.ts";
import { allowed, Html, html } from "./html.ts";
import type { Section, SectionOptions } from "./section.ts";
import { noteList } from "./tableSection.ts";

/** One chart of the section. */
export interface PageChart {
  readonly title: string;
  readonly series: readonly LossSeries[];
  /** What the axes show, with the unit. */
  readonly x: string;
  readonly y: string;
  /** Logarithmic y axis; values of 0 and below leave a gap. Default false. */
  readonly logY?: boolean;
  /** Points that the strong line averages; 1 draws every point, as for numbers that were measured seldom. See `lossPlot`. */
  readonly smoothing?: number;
  /** What is good, and what is not; below the chart. */
  readonly notes?: readonly string[];
}

/** Charts beside each other where there is room. */
export interface CurveSectionOptions extends SectionOptions {
  readonly charts: readonly PageChart[];
}

/** Pixels; a page scales it to the width of its column. */
const [WIDTH, HEIGHT] = [380, 250];

/** Charts of numbers by step, as a part of a page. */
export function curveSection({ title, about, charts }: CurveSectionOptions): Section {
  return { title, body: drawn(charts, about) };
}

async function drawn(charts: readonly PageChart[], about: string | undefined): Promise<Html> {
  const figures = await Promise.all(charts.map(figure));
  return html`${about === undefined ? undefined : html`<p class="about">${about}</p>\n`}<div class="charts">
${figures}</div>
`;
}

async function figure({ title, series, x, y, logY, smoothing, notes = [] }: PageChart): Promise<Html> {
  const named = series.map((each) => ({ ...each, name: allowed(each.name) }));
  const svg = await lossPlot(named, {
    bare: true,
    xLabel: allowed(x),
    yLabel: allowed(y),
    width: WIDTH,
    height: HEIGHT,
    logY,
    smoothing,
  });
  const legend =
    series.length > 1
      ? html`<ul class="legend">${series.map(
          ({ name }, i) => html`<li><span style="background: ${colourOf(i, true)}"></span>${name}</li>`,
        )}</ul>
`
      : undefined;
  return html`<figure>
<figcaption>${title}</figcaption>
<div role="img" aria-label="${title}: ${y} over ${x}">${new Html(svg)}</div>
${legend}${noteList(notes)}</figure>
`;
}
