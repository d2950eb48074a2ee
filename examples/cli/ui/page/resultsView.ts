import { numberNames, showMetric } from "../../../../plugins/observers/resultTable.ts";
import { whole } from "./numbers.ts";
import { html, type VNode } from "./preact.ts";
import type { PageRun } from "./store.ts";

/** How the judges of the runs found the samples at their ends. */
export function Results({ runs }: { readonly runs: readonly PageRun[] }): VNode | undefined {
  const rows = runs.flatMap((run) => (run.judgements ?? []).map((judgement) => ({ run, ...judgement })));
  const names = numberNames(rows.map(({ metrics }) => metrics));
  if (rows.length === 0 || names.length === 0) return undefined;
  return html`<section aria-labelledby="results"><h2 id="results">Result</h2>
    <p class="about">Real data show the best value that so many samples can have. NFE: network calls per sample.</p>
    <div class="wide" tabindex="0" role="group" aria-label="Table of results"><table><thead><tr>
      ${runs.length > 1 && html`<th scope="col">run</th>`}<th scope="col">samples of</th><th scope="col" class="number">NFE</th><th scope="col" class="number">samples</th>
      ${names.map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
    <tbody>${rows.map(
      ({ run, who, nfe, count, metrics }) => html`<tr>${runs.length > 1 && html`<td>${run.name}</td>`}
        <th scope="row">${who === "data" ? "real data" : who}</th><td class="number">${who === "data" ? "–" : nfe}</td><td class="number">${whole(count)}</td>
        ${names.map((name) => html`<td class="number">${showMetric(metrics, name)}</td>`)}</tr>`,
    )}</tbody></table></div></section>`;
}
