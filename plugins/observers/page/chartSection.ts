import { chartText } from "../drawing/chartText.ts";
import type { ChartView } from "../view/charts.ts";
import type { ReferenceBand } from "../view/reference.ts";
import type { Stretch } from "../view/thinnedCourse.ts";
import { allowed, Html, html } from "./html.ts";
import type { Section, SectionOptions } from "./section.ts";
import { noteList } from "./tableSection.ts";

/** A chart of the section, with its curve. */
export interface SectionChart extends ChartView {
  readonly stretches: readonly Stretch[];
  readonly band?: ReferenceBand;
}

/** Charts of a run, as its live page has them. */
export interface ChartSectionOptions extends SectionOptions {
  readonly charts: readonly SectionChart[];
}

/** Pixels; a page scales it to the width of its column. */
const [WIDTH, HEIGHT] = [380, 220];

export function chartSection({ title, about, charts }: ChartSectionOptions): Section {
  return { title, body: drawn(charts, about) };
}

async function drawn(charts: readonly SectionChart[], about: string | undefined): Promise<Html> {
  const figures = await Promise.all(charts.map(figure));
  return html`${about === undefined ? undefined : html`<p class="about">${about}</p>\n`}<div class="charts">
${figures}</div>
`;
}

async function figure({ stage, title, y, stretches, band, words, ...shown }: SectionChart): Promise<Html> {
  const name = stage === "" ? title : `${stage}: ${title}`;
  const unit = shown.logY ? `${y}, log scale` : y;
  const svg = await chartText({
    ...shown,
    series: [{ name: allowed(name), colour: "var(--link)", stretches }],
    band,
    x: "step",
    y: allowed(y),
    width: WIDTH,
    height: HEIGHT,
  });
  return html`<figure>
<figcaption>${name}</figcaption>
<div class="about">${unit} over steps</div>
<div role="img" aria-label="${name}: ${y} over step">${new Html(svg)}</div>
${noteList(words === undefined ? [] : [words])}</figure>
`;
}
