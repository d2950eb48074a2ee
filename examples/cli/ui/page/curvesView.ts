import { CHART_GROUPS, chartOf } from "../../../../plugins/observers/view/charts.ts";
import { bandText } from "../../../../plugins/observers/view/reference.ts";
import { Chart, type ChartLine } from "./chartView.ts";
import { html, useState, type VNode } from "./preact.ts";
import { colourOf } from "./runColour.ts";
import type { PageRun } from "./store.ts";

/** The curves of the runs, stage by stage; those of the same name in one chart. */
export function Curves({ runs }: { readonly runs: readonly PageRun[] }): VNode | undefined {
  const [chosen, choose] = useState<string | undefined>(undefined);
  const stages = [...new Set(runs.flatMap(({ curves }) => [...curves.values()].map(({ stage }) => stage)))];
  if (stages.length === 0)
    return html`<section><h2>Curves</h2><p class="about">The first numbers come with the first step.</p></section>`;
  // The stage that is on, until the reader chooses one.
  const current = runs.map(({ head }) => head?.stage).find((stage) => stage !== undefined && stages.includes(stage));
  const stage = chosen !== undefined && stages.includes(chosen) ? chosen : (current ?? stages[stages.length - 1]);
  const found = new Map<string, { view: ReturnType<typeof chartOf>; lines: ChartLine[] }>();
  for (const run of runs)
    for (const curve of run.curves.values()) {
      if (curve.stage !== stage) continue;
      const entry = found.get(curve.key) ?? { view: chartOf(curve), lines: [] };
      const { stretches, version } = curve;
      entry.lines.push({ name: run.name, colour: colourOf(run.id), stretches, version });
      found.set(curve.key, entry);
    }
  const planned = Math.max(
    0,
    ...runs.flatMap(({ head }) => head?.stages.filter(({ name }) => name === stage).map(({ steps }) => steps) ?? []),
  );
  const reference = runs.map((run) => run.reference).find((each) => each !== undefined);
  const hasBand = [...found.keys()].some((key) => reference?.bands[key]);
  const groups = CHART_GROUPS.map(({ title, kinds }) => ({
    title,
    charts: [...found.values()].filter(({ view }) => kinds.includes(view.kind)),
  })).filter(({ charts }) => charts.length > 0);
  return html`<section aria-labelledby="curves"><div class="heading"><h2 id="curves">Curves</h2>${
    stages.length > 1 &&
    html`<div class="choice" role="group" aria-label="Stage">${stages.map(
      (name) =>
        html`<button type="button" aria-pressed=${name === stage} onClick=${() => choose(name)}>${name}</button>`,
    )}</div>`
  }</div>
  ${reference && hasBand && html`<p class="about"><i class="band"></i>${bandText(reference)}</p>`}
  ${groups.map(
    ({ title, charts }) =>
      html`<h3>${title}</h3><div class="charts">${charts.map(
        ({ view, lines }) =>
          html`<${Chart} key=${view.key} view=${view} lines=${lines} band=${reference?.bands[view.key]} domain=${[0, planned]} />`,
      )}</div>`,
  )}</section>`;
}
