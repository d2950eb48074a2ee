import type { WarningView } from "../../../../plugins/observers/view/runView.ts";
import { whole } from "./numbers.ts";
import { html, type VNode } from "./preact.ts";
import type { PageRun } from "./store.ts";

/** What the monitors found, what is still on first, each with its advice. */
export function Health({ runs }: { readonly runs: readonly PageRun[] }): VNode | undefined {
  const found = runs.flatMap((run) => (run.warnings ?? []).map((warning) => ({ run, warning })));
  if (found.length === 0) return undefined;
  const isOver = ({ until }: WarningView) => Number(until !== undefined);
  const sorted = [...found].sort((a, b) => isOver(a.warning) - isOver(b.warning) || b.warning.step - a.warning.step);
  return html`<section aria-labelledby="health"><h2 id="health">Health</h2>
    <ul class="warnings">${sorted.map(
      ({ run, warning: { monitor, stage, step, steps, message, advice, severe, until } }) =>
        html`<li class=${`${severe ? "severe" : ""}${until === undefined ? "" : " over"}`}>
          <p><strong>${monitor}</strong> <span class="at">${runs.length > 1 ? `${run.name}, ` : ""}${stage}, ${
            until === undefined
              ? `since step ${whole(step)} of ${whole(steps)}`
              : `steps ${whole(step)} to ${whole(until)}, over`
          }</span></p>
          <p>${message}</p><p class="advice">${advice}</p></li>`,
    )}</ul></section>`;
}
